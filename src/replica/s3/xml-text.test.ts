import { describe, expect, it } from 'vitest';
import { decodeXmlBytes, decodeXmlText, skipProlog } from './xml-text.js';

const refused = (what: string) =>
  expect.objectContaining({ code: 'ERR_S3_BAD_ANSWER', message: expect.stringContaining(what) });

describe('decodeXmlText', () => {
  it.each([
    ['no entity', 'a<b>"c\'', 'a<b>"c\''],
    ['the five names', '&amp;&lt;&gt;&quot;&apos;', '&<>"\''],
    ['a decimal number', '&#233;&#9;&#0000065;', 'é\tA'],
    ['a hexadecimal number', '&#xe9;&#XE9'.slice(0, 6), 'é'],
    ['the digits of both cases', '&#xAbc;', '\u0abc'],
    ['a character beyond the first plane', '&#x1F600;&#128512;', '\u{1F600}\u{1F600}'],
    ['the last character there is', '&#x10FFFF;', '\u{10FFFF}'],
    ['the neighbours of the surrogates', '&#xD7FF;&#xE000;', '\uD7FF\uE000'],
    ['a control character, which stores write', '&#1;', '\u0001'],
    ['an entity that was escaped itself', '&amp;lt;', '&lt;'],
  ])('resolves %s', (_, text, decoded) => {
    expect(decodeXmlText(text, 0)).toBe(decoded);
  });

  it.each([
    ['an unknown name', '&nbsp;'],
    ['what every object of JavaScript has', '&constructor;'],
    ['what every object of JavaScript can do', '&toString;'],
    ['an entity that does not end', '&amp'],
    ['a number that does not end', '&#65'],
    ['an ampersand alone', 'a & b'],
    ['two ampersands', '&&amp;'],
    ['no name', '&;'],
    ['no digits', '&#;'],
    ['no hexadecimal digits', '&#x;'],
    ['a letter among the digits', '&#6a;'],
    ['too many digits', '&#00000065;'],
    ['too many hexadecimal digits', '&#x0000041;'],
    ['something before the number', '&a#65;'],
  ])('refuses %s, and resolves nothing by itself', (_, text) => {
    expect(() => decodeXmlText(text, 7)).toThrow(refused('an entity that is not allowed'));
  });

  it.each(['&#x110000;', '&#1114112;', '&#xD800;', '&#xDFFF;', '&#56320;'])(
    'refuses %s, which is no character',
    (text) => {
      expect(() => decodeXmlText(text, 7)).toThrow(refused('a character that does not exist'));
    },
  );

  it('says where it was met', () => {
    expect(() => decodeXmlText('&x;', 4711)).toThrow(refused('4711'));
  });
});

describe('decodeXmlBytes', () => {
  it('reads UTF-8, of a part of a buffer too', () => {
    const whole = Buffer.from('xxé\u{1F600}yy');
    expect(decodeXmlBytes(whole.subarray(2, 8))).toBe('é\u{1F600}');
  });

  it('refuses what is not UTF-8, instead of replacing it', () => {
    expect(() => decodeXmlBytes(Uint8Array.of(0x61, 0xff))).toThrow(refused('bytes that are not UTF-8'));
  });
});

describe('skipProlog', () => {
  it.each([
    ['nothing', '', '<a/>'],
    ['white space', ' \n\t', '<a/>'],
    ['a byte order mark', '\uFEFF', '<a/>'],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8"?>', '<a/>'],
    ['all of them', '\uFEFF \n<?xml version="1.0"?>\r\n  ', '<a/>'],
    ['no second declaration', '<?xml version="1.0"?>', '<?xml version="1.0"?><a/>'],
    ['no other instruction', '', '<?php x?><a/>'],
    ['no declaration without a space', '', '<?xmlx?><a/>'],
    ['no declaration of more than a line or two', '', `<?xml ${'x'.repeat(201)}?><a/>`],
    ['no declaration with a tag in it', '', '<?xml <a>?><a/>'],
    ['no byte order mark but the first', '\uFEFF', '<a/>\uFEFF'],
  ])('passes over %s', (_, prolog, rest) => {
    expect(skipProlog(prolog + rest)).toBe(prolog.length);
  });
});
