import type { SigningCredentials } from './request-signer.js';

/** What an address is asked for with; the names are the SDK's. */
export interface EndpointQuestion extends Readonly<Record<string, string | boolean | undefined>> {
  readonly Bucket?: string;
  readonly Region: string;
  readonly UseDualStack: boolean;
  readonly UseFIPS: boolean;
  readonly ForcePathStyle?: boolean | undefined;
  readonly Accelerate?: boolean | undefined;
  readonly Endpoint?: string;
}

/** An address, and how requests to it are signed. */
export interface EndpointAnswer {
  readonly url: URL;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
}

/** What is used of the configuration of a client: the part of the AWS SDK's that says where a bucket is and who asks. */
export interface ClientConfig {
  region(): Promise<string>;
  readonly endpoint?:
    | (() => Promise<{
        readonly protocol: string;
        readonly hostname: string;
        readonly port?: number;
        readonly path: string;
      }>)
    | undefined;
  useDualstackEndpoint(): Promise<boolean>;
  useFipsEndpoint(): Promise<boolean>;
  readonly forcePathStyle?: boolean | undefined;
  readonly useAccelerateEndpoint?: boolean | undefined;
  endpointProvider(question: EndpointQuestion): EndpointAnswer;
  credentials(): Promise<SigningCredentials>;
}

/** A client of the AWS SDK, or anything with such a configuration. */
export interface ConfiguredClient {
  readonly config: ClientConfig;
}
