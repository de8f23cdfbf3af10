/* The layouts of the contract in 32-bit memory. Not for activities. */
#ifndef FERMATA_ABI_H
#define FERMATA_ABI_H

#include "fermata.h"

#define IMPORT(interface, function) \
  __attribute__((import_module("fermata:activity/" interface "@0.1.0"), import_name(function))) extern

typedef struct {
  const char *at;
  size_t len;
} abi_text;

typedef struct {
  uint8_t is_some;
  abi_text value;
} abi_option;

typedef struct {
  abi_text release, process, phase, activity;
  uint32_t number;
  abi_text idempotency_key;
  uint64_t now_ms;
  abi_option checkpoint, signal;
} abi_attempt;

/* The parameters of `run`, and of `undo`, which has the last one, too. */
typedef struct {
  abi_attempt attempt;
  abi_text inputs;
  abi_option outputs;
} abi_call;

/* result<outcome, failure> */
typedef struct {
  uint8_t is_err;
  _Alignas(8) uint8_t which; /* outcome: succeeded, pending; failure: retryable, permanent */
  _Alignas(8) abi_text text; /* outputs, checkpoint, or message */
  union {
    struct {
      uint8_t which; /* after-ms, signal */
      union {
        _Alignas(8) uint64_t after_ms;
        abi_text signal;
      };
      abi_option status;
    } pending;
    struct {
      abi_option code, details;
      uint8_t has_delay;
      _Alignas(8) uint64_t delay_ms;
    } failure;
  };
} abi_result;

_Static_assert(sizeof(abi_attempt) == 80 && sizeof(abi_result) == 64, "as the component model lays them out");
_Static_assert(offsetof(abi_result, pending.after_ms) == 32 && offsetof(abi_result, pending.status) == 40, "pending");
_Static_assert(offsetof(abi_result, failure.details) == 36 && offsetof(abi_result, failure.has_delay) == 48, "failure");

typedef struct {
  abi_text name, value;
} abi_pair;

/* result<response, error> */
typedef struct {
  uint8_t is_err;
  union {
    struct {
      _Alignas(8) uint16_t status;
      abi_pair *headers;
      size_t headers_len;
      abi_text body;
    } ok;
    struct {
      _Alignas(8) uint8_t which;
      union {
        _Alignas(8) uint64_t bytes;
        abi_text why;
      };
    } err;
  };
} abi_response;

_Static_assert(offsetof(abi_response, ok.body) == 20 && offsetof(abi_response, err.why) == 16, "response");

/* result<string, error> of secrets */
typedef struct {
  uint8_t is_err;
  union {
    abi_text ok;
    struct {
      uint8_t is_unknown;
      abi_text why;
    } err;
  };
} abi_secret;

/* result<_, string> and result<string, string> */
typedef struct {
  uint8_t is_err;
  abi_text text;
} abi_said;

abi_text abi_of(const char *text);
fermata_attempt abi_attempt_read(const abi_attempt *given);
abi_result *abi_outcome_write(fermata_outcome outcome);

#endif
