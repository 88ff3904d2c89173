#ifndef NEONDBA_CORE_H
#define NEONDBA_CORE_H

#include "relay.h"

struct peer *core_peer(Core *core, int fd);
struct peer *core_make(Core *core, int fd);
void core_drop(Core *core, struct peer *peer);
int core_wait(Core *core, double seconds);
int core_begin(Core *core);
void core_end(Core *core);

#endif
