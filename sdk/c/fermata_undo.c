/* The second half of a reversible activity. Compile it in only if there is a `fermata_undo`: a component with this export
 * can be rolled back. */
#include "fermata_abi.h"

__attribute__((export_name("fermata:activity/undo@0.1.0#undo"))) abi_result *fermata_abi_undo(const abi_call *call) {
  fermata_attempt attempt = abi_attempt_read(&call->attempt);
  const char *outputs = call->outputs.is_some ? call->outputs.value.at : NULL;
  return abi_outcome_write(fermata_undo(&attempt, call->inputs.at, outputs));
}
