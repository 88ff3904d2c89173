/* The epoll loop, and what it knows of each descriptor. */
#include "core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define ROUND 256

double core_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every peer can have one event of epoll and one of ours in a round: room for that is made before. */
int core_event(Core *core, int fd, uint32_t events)
{
    if (core->events_count == core->events_size)
        return 0;
    core->events[core->events_count].fd = fd;
    core->events[core->events_count].events = events;
    core->events_count++;
    return 1;
}

static int control(Core *core, struct peer *peer, int operation)
{
    struct epoll_event event = {.events = peer->mask, .data.fd = peer->fd};
    return epoll_ctl(core->epoll, operation, peer->fd, &event) == 0;
}

int core_mask(Core *core, struct peer *peer, uint32_t mask)
{
    if (peer->mask == mask && peer->watched)
        return 1;
    peer->mask = mask;
    int operation = peer->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    peer->watched = 1;
    return control(core, peer, operation);
}

void core_unwatch(Core *core, struct peer *peer)
{
    if (peer->watched)
        control(core, peer, EPOLL_CTL_DEL);
    peer->watched = 0;
}

struct peer *core_peer(Core *core, int fd)
{
    return fd >= 0 && fd < core->peers_size ? core->peers[fd] : NULL;
}

/* Give the peer of a descriptor, made if need be; NULL with MemoryError set. */
struct peer *core_make(Core *core, int fd)
{
    if (fd >= core->peers_size) {
        int size = fd + 256;
        struct peer **more = realloc(core->peers, (size_t)size * sizeof *more);
        if (more == NULL)
            return PyErr_NoMemory(), NULL;
        memset(more + core->peers_size, 0, (size_t)(size - core->peers_size) * sizeof *more);
        core->peers = more;
        core->peers_size = size;
    }
    if (core->peers[fd] == NULL) {
        core->peers[fd] = calloc(1, sizeof(struct peer));
        if (core->peers[fd] == NULL)
            return PyErr_NoMemory(), NULL;
        core->peers[fd]->fd = fd;
    }
    return core->peers[fd];
}

/* Forget a descriptor, whatever it is in the middle of. */
void core_drop(Core *core, struct peer *peer)
{
    core_unwatch(core, peer);
    if (peer->kind == SERVER && peer->other == NULL)
        pool_remove(&core->pools[peer->pool], peer);
    if (peer->other != NULL) {
        peer->other->other = NULL;
        peer->other->kind = PYTHON;
    }
    core->peers[peer->fd] = NULL;
    stash_free(peer);
    free(peer->out);
    free(peer);
}

static void dispatch(Core *core, struct peer *peer, uint32_t events)
{
    switch (peer->kind) {
    case PAIRED:
        pair_ready(core, peer, events);
        break;
    case CLIENT:
        client_ready(core, peer);
        break;
    case SERVER:
        server_ready(core, peer);
        break;
    default:
        core_event(core, peer->fd, events);
    }
}

/* Wait once and do what is plain; 0 when epoll fails. */
static int round_once(Core *core, int milliseconds)
{
    struct epoll_event ready[ROUND];
    int count = epoll_wait(core->epoll, ready, ROUND, milliseconds);
    if (count < 0)
        return errno == EINTR;
    for (int at = 0; at < count; at++) {
        struct peer *peer = core_peer(core, ready[at].data.fd);
        if (peer != NULL)
            dispatch(core, peer, ready[at].events);
    }
    return 1;
}

/* Until Python is wanted, or the time is over. */
int core_wait(Core *core, double seconds)
{
    double deadline = core_now() + seconds;
    core->events_count = 0;
    for (;;) {
        double left = deadline - core_now();
        if (!round_once(core, left > 0 ? (int)(left * 1000) + 1 : 0))
            return 0;
        if (core->events_count || left <= 0)
            return 1;
    }
}

int core_begin(Core *core)
{
    core->events_size = 2 * ROUND;
    core->events = calloc(core->events_size, sizeof *core->events);
    core->scratch = malloc(CHUNK);
    core->epoll = epoll_create1(EPOLL_CLOEXEC);
    return core->events != NULL && core->scratch != NULL && core->epoll >= 0;
}

void core_end(Core *core)
{
    for (int fd = 0; fd < core->peers_size; fd++)
        if (core->peers[fd] != NULL)
            core_drop(core, core->peers[fd]);
    free(core->peers);
    free(core->pools);
    free(core->events);
    free(core->scratch);
}
