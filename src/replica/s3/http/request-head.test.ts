import { describe, expect, it } from 'vitest';
import { requestHead, type HttpRequest } from './request-head.js';

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  target: '/b/k?x=1',
  headers: { host: 'h:1', 'x-amz-meta-a': 'b' },
  body: undefined,
  pieces: undefined,
  isLast: false,
  ...more,
});

describe('requestHead', () => {
  it.each<[string, Partial<HttpRequest>, string]>([
    ['a body', { method: 'PUT', body: Buffer.alloc(5) }, 'content-length: 5\r\nconnection: keep-alive'],
    ['a body where there may be one', { method: 'PUT' }, 'content-length: 0\r\nconnection: keep-alive'],
    ['no body where there is none', {}, 'connection: keep-alive'],
    ['that the connection is to end', { method: 'HEAD', isLast: true }, 'connection: close'],
  ])('says %s', (_what, more, end) => {
    const method = more.method ?? 'GET';
    expect(requestHead(request(more))).toBe(
      `${method} /b/k?x=1 HTTP/1.1\r\nhost: h:1\r\nx-amz-meta-a: b\r\n${end}\r\n\r\n`,
    );
  });

  it.each<[string, Partial<HttpRequest>]>([
    ['a value that ends its line', { headers: { 'content-type': 'a\r\nx-amz-acl: public-read' } }],
    ['a value with half an end of line', { headers: { x: 'a\nb' } }],
    ['a value with a zero byte', { headers: { x: 'a\0' } }],
    ['a value with a character that is no byte', { headers: { x: 'a\u0100' } }],
    ['a target with a blank', { target: '/a b' }],
    ['a target that ends its line', { target: '/a\r\nx: y' }],
    ['a target of other letters', { target: '/\xe9' }],
  ])('writes no %s', (_what, more) => {
    expect(() => requestHead(request(more))).toThrow(expect.objectContaining({ code: 'HTTP_REQUEST' }));
  });
});
