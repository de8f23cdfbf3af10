/* As much JSON as an activity needs: finding a value, and quoting a text. What is read was written by the engine or by a
 * server; where it is no JSON, nothing is found. */
#include "fermata.h"

#include <stdlib.h>
#include <string.h>

/* Objects and lists within each other: what is deeper is not looked into. */
#define DEPTH_MAX 64

static const char *blank(const char *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
  return at;
}

/* Behind the string that begins at `at`; NULL if it does not end. */
static const char *behind_string(const char *at) {
  for (at++; *at != '"'; at++) {
    if (*at == '\0') return NULL;
    if (*at == '\\' && *++at == '\0') return NULL;
  }
  return at + 1;
}

/* Behind the value that begins at `at`; NULL if there is none. */
static const char *behind(const char *at, int depth) {
  if (*at == '"') return behind_string(at);
  if (*at != '{' && *at != '[') {
    size_t length = strcspn(at, ",]} \t\n\r");
    return length == 0 ? NULL : at + length;
  }
  if (depth == DEPTH_MAX) return NULL;
  const char close = *at == '{' ? '}' : ']';
  at = blank(at + 1);
  while (*at != close) {
    if (close == '}') {
      if (*at != '"' || (at = behind_string(at)) == NULL) return NULL;
      at = blank(at);
      if (*at != ':') return NULL;
      at = blank(at + 1);
    }
    if ((at = behind(at, depth + 1)) == NULL) return NULL;
    at = blank(at);
    if (*at == ',') {
      at = blank(at + 1);
    } else if (*at != close) {
      return NULL;
    }
  }
  return at + 1;
}

static char *copied(const char *from, size_t len) {
  char *text = calloc(1, len + 1);
  if (text == NULL) __builtin_trap();
  memcpy(text, from, len);
  return text;
}

/* Writes a code point as UTF-8. */
static char *put(char *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = (char)code;
    return to;
  }
  if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      *to++ = (char)(0xe0 | code >> 12);
    } else {
      *to++ = (char)(0xf0 | code >> 18);
      *to++ = (char)(0x80 | (code >> 12 & 0x3f));
    }
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
  }
  *to++ = (char)(0x80 | (code & 0x3f));
  return to;
}

static uint32_t hex4(const char *at) {
  char digits[5] = {0};
  strncpy(digits, at, 4);
  return (uint32_t)strtoul(digits, NULL, 16);
}

/* The text of the JSON string at `at`, which ends before `end`. */
static char *unescaped(const char *at, const char *end) {
  char *text = copied(at, (size_t)(end - at)), *to = text;
  while (at < end) {
    if (*at != '\\') {
      *to++ = *at++;
      continue;
    }
    char escape = at[1];
    at += 2;
    if (escape != 'u') {
      static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
      const char *known = strchr(from, escape);
      *to++ = known == NULL ? escape : into[known - from];
      continue;
    }
    if (end - at < 4) break;
    uint32_t code = hex4(at);
    at += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
      uint32_t low = hex4(at + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    to = put(to, code);
  }
  *to = '\0';
  return text;
}

/* Where the value under `key` begins, in the object at `at`. */
static const char *member(const char *at, const char *key, size_t key_len) {
  if (*at != '{') return NULL;
  at = blank(at + 1);
  while (*at == '"') {
    const char *name = at + 1;
    if ((at = behind_string(at)) == NULL) return NULL;
    char *read = unescaped(name, at - 1);
    bool found = strlen(read) == key_len && memcmp(read, key, key_len) == 0;
    free(read);
    at = blank(at);
    if (*at != ':') return NULL;
    at = blank(at + 1);
    if (found) return at;
    if ((at = behind(at, 0)) == NULL) return NULL;
    at = blank(at);
    if (*at == ',') at = blank(at + 1);
  }
  return NULL;
}

static const char *find(const char *json, const char *path) {
  if (json == NULL) return NULL;
  const char *at = blank(json);
  while (at != NULL && *path != '\0') {
    size_t key_len = strcspn(path, ".");
    at = member(at, path, key_len);
    path += key_len;
    if (*path == '.') path++;
  }
  return at;
}

const char *fermata_json(const char *json, const char *path) {
  const char *at = find(json, path);
  const char *end = at == NULL ? NULL : behind(at, 0);
  return end == NULL ? NULL : copied(at, (size_t)(end - at));
}

char *fermata_json_string(const char *json, const char *path) {
  const char *at = find(json, path);
  if (at == NULL || *at != '"') return NULL;
  const char *end = behind_string(at);
  return end == NULL ? NULL : unescaped(at + 1, end - 1);
}

double fermata_json_number(const char *json, const char *path, double otherwise) {
  const char *at = find(json, path);
  if (at == NULL) return otherwise;
  char *end;
  double number = strtod(at, &end);
  return end == at ? otherwise : number;
}

bool fermata_json_true(const char *json, const char *path) {
  const char *at = find(json, path);
  return at != NULL && strncmp(at, "true", 4) == 0;
}

char *fermata_quoted(const char *text) {
  static const char hex[] = "0123456789abcdef";
  size_t len = strlen(text);
  /* A control character becomes six. */
  char *quoted = calloc(1, len * 6 + 3), *to = quoted;
  if (quoted == NULL) __builtin_trap();
  *to++ = '"';
  for (size_t index = 0; index < len; index++) {
    unsigned char byte = (unsigned char)text[index];
    if (byte == '"' || byte == '\\') {
      *to++ = '\\';
      *to++ = (char)byte;
    } else if (byte < 0x20) {
      memcpy(to, "\\u00", 4);
      to += 4;
      *to++ = hex[byte >> 4];
      *to++ = hex[byte & 15];
    } else {
      *to++ = (char)byte;
    }
  }
  *to = '"';
  return quoted;
}
