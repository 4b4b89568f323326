import type { Checksum, ChecksumAlgorithm, ChecksumType } from './digests.js';
import { OrderedIndex } from './ordered-index.js';

/** A run of bytes inside a stored blob. Contents are lists of these, so that copies and multipart objects share bytes. */
export interface Segment {
  readonly blob: number;
  readonly start: number;
  readonly length: number;
}

/** One version of an object, or a delete marker. Immutable but for its tags. */
export interface ObjectVersion {
  /** `'null'` where versioning was not enabled. */
  readonly versionId: string;
  readonly deleteMarker: boolean;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The headers that come back with the object, `x-amz-meta-*` included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: readonly Segment[];
  /** Of a multipart object, in order. */
  readonly parts?: readonly PartSummary[];
  /** `undefined`: no checksum was asked for; a CRC64NVME is computed when somebody wants to know. */
  readonly checksum?: Checksum;
  readonly tags: Tags;
}

/** What is remembered of the parts of a finished multipart object. */
export interface PartSummary {
  readonly number: number;
  readonly sizeBytes: number;
  readonly checksum?: string;
}

/** Names and values, in the order they were given. */
export type Tags = readonly (readonly [string, string])[];

/** All versions of one key, newest first; never empty. */
export interface ObjectRecord {
  readonly key: string;
  versions: ObjectVersion[];
}

/** An uploaded part that is not yet part of an object. */
export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly content: readonly Segment[];
  /** Base64, by the algorithm of the upload. */
  readonly checksum?: string;
}

/** A multipart upload in progress. */
export interface Upload {
  readonly uploadId: string;
  readonly key: string;
  readonly startedMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: Tags;
  readonly algorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
}

/** An upload with its parts, by number. */
export interface UploadRecord {
  readonly upload: Upload;
  readonly parts: Map<number, Part>;
}

/** A bucket and what is in it. */
export interface BucketRecord {
  readonly name: string;
  readonly createdMs: number;
  versioning: 'Enabled' | 'Suspended' | undefined;
  readonly objects: OrderedIndex<ObjectRecord>;
  readonly uploads: Map<string, UploadRecord>;
}

/** Everything that can happen to the state. What is recorded is replayed by the same code. */
export type StateChange =
  | { readonly type: 'bucket'; readonly bucket: string; readonly createdMs: number }
  | { readonly type: 'bucket-removed'; readonly bucket: string }
  | { readonly type: 'versioning'; readonly bucket: string; readonly status: 'Enabled' | 'Suspended' }
  /** Takes the place of the version with the same id, else comes on top. */
  | { readonly type: 'version'; readonly bucket: string; readonly key: string; readonly version: ObjectVersion }
  | { readonly type: 'version-removed'; readonly bucket: string; readonly key: string; readonly versionId: string }
  | {
      readonly type: 'tags';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string;
      readonly tags: Tags;
    }
  | { readonly type: 'upload'; readonly bucket: string; readonly upload: Upload }
  | { readonly type: 'part'; readonly bucket: string; readonly uploadId: string; readonly part: Part }
  | { readonly type: 'upload-removed'; readonly bucket: string; readonly uploadId: string };

/** The buckets, and how many times each blob is used. Changed by {@link ServiceState.apply} alone. */
export class ServiceState {
  readonly buckets = new Map<string, BucketRecord>();
  readonly #uses = new Map<number, number>();
  readonly #onUnused: (blob: number) => void;

  /** @param onUnused is called with each blob that nothing refers to any more. */
  constructor(onUnused: (blob: number) => void) {
    this.#onUnused = onUnused;
  }

  /** Keeps the bytes of a content while it is looked at outside of the state. Answers how to let go. */
  hold(content: readonly Segment[]): () => void {
    this.#retain(content);
    return () => this.#release(content);
  }

  isUsed(blob: number): boolean {
    return this.#uses.has(blob);
  }

  /** Applies changes that were decided together. A blob that one of them frees and a later one takes is kept. */
  apply(changes: readonly StateChange[]): void {
    const freed: (readonly Segment[])[] = [];
    for (const change of changes) this.#apply(change, freed);
    for (const content of freed) this.#release(content);
  }

  /** The changes that lead from nothing to this state, one list per step. */
  *snapshot(): IterableIterator<readonly StateChange[]> {
    for (const { name: bucket, createdMs, versioning, objects, uploads } of this.buckets.values()) {
      yield [{ type: 'bucket', bucket, createdMs }];
      if (versioning !== undefined) yield [{ type: 'versioning', bucket, status: versioning }];
      for (const { key, versions } of objects)
        yield versions.toReversed().map((version) => ({ type: 'version' as const, bucket, key, version }));
      for (const { upload, parts } of uploads.values()) {
        yield [{ type: 'upload', bucket, upload }];
        for (const part of parts.values()) yield [{ type: 'part', bucket, uploadId: upload.uploadId, part }];
      }
    }
  }

  #apply(change: StateChange, freed: (readonly Segment[])[]): void {
    if (change.type === 'bucket') {
      const { bucket: name, createdMs } = change;
      this.buckets.set(name, {
        name,
        createdMs,
        versioning: undefined,
        objects: new OrderedIndex(),
        uploads: new Map(),
      });
      return;
    }
    const bucket = this.buckets.get(change.bucket);
    if (bucket === undefined) return;
    switch (change.type) {
      case 'bucket-removed':
        for (const { parts } of bucket.uploads.values()) for (const part of parts.values()) freed.push(part.content);
        this.buckets.delete(change.bucket);
        return;
      case 'versioning':
        bucket.versioning = change.status;
        return;
      case 'version': {
        this.#retain(change.version.content);
        const record = bucket.objects.get(change.key);
        if (record === undefined) {
          bucket.objects.add({ key: change.key, versions: [change.version] });
          return;
        }
        const replaced = record.versions.find((version) => version.versionId === change.version.versionId);
        if (replaced !== undefined) freed.push(replaced.content);
        // A replaced version gives up its old place: what is written last is the newest.
        record.versions =
          record.versions.length === 1 && replaced !== undefined
            ? [change.version]
            : [change.version, ...record.versions.filter((version) => version !== replaced)];
        return;
      }
      case 'version-removed': {
        const record = bucket.objects.get(change.key);
        const removed = record?.versions.find((version) => version.versionId === change.versionId);
        if (record === undefined || removed === undefined) return;
        freed.push(removed.content);
        if (record.versions.length === 1) bucket.objects.delete(change.key);
        else record.versions = record.versions.filter((version) => version !== removed);
        return;
      }
      case 'tags': {
        const record = bucket.objects.get(change.key);
        if (record === undefined) return;
        record.versions = record.versions.map((version) =>
          version.versionId === change.versionId ? { ...version, tags: change.tags } : version,
        );
        return;
      }
      case 'upload':
        bucket.uploads.set(change.upload.uploadId, { upload: change.upload, parts: new Map() });
        return;
      case 'part': {
        const parts = bucket.uploads.get(change.uploadId)?.parts;
        if (parts === undefined) return;
        this.#retain(change.part.content);
        const replaced = parts.get(change.part.number);
        if (replaced !== undefined) freed.push(replaced.content);
        parts.set(change.part.number, change.part);
        return;
      }
      case 'upload-removed':
        for (const part of bucket.uploads.get(change.uploadId)?.parts.values() ?? []) freed.push(part.content);
        bucket.uploads.delete(change.uploadId);
    }
  }

  #retain(content: readonly Segment[]): void {
    for (const { blob } of content) this.#uses.set(blob, (this.#uses.get(blob) ?? 0) + 1);
  }

  #release(content: readonly Segment[]): void {
    for (const { blob } of content) {
      const uses = (this.#uses.get(blob) ?? 0) - 1;
      if (uses > 0) this.#uses.set(blob, uses);
      else {
        this.#uses.delete(blob);
        this.#onUnused(blob);
      }
    }
  }
}
