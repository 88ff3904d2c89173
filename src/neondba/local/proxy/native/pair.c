/* Direct connections: bytes go both ways untouched; a side whose peer is slow is not read. */
#include "relay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static struct peer *client_of(struct peer *peer)
{
    /* Python gave the client's side the pool number 1. */
    return peer->pool == 1 ? peer : peer->other;
}

static void pair_end(Core *core, struct peer *peer)
{
    struct peer *other = peer->other;
    core_unwatch(core, peer);
    core_unwatch(core, other);
    peer->kind = other->kind = PYTHON;
    core_event(core, client_of(peer)->fd, SURRENDERED);
}

/* Keep what the target does not take now, and stop reading where it comes from. */
static int keep(Core *core, struct peer *source, const unsigned char *data, size_t size)
{
    struct peer *target = source->other;
    target->out = malloc(size);
    if (target->out == NULL)
        return 0;
    memcpy(target->out, data, size);
    target->out_at = 0;
    target->out_size = size;
    return core_mask(core, target, target->mask | EPOLLOUT) && core_mask(core, source, source->mask & ~(uint32_t)EPOLLIN);
}

static int read_some(Core *core, struct peer *peer)
{
    ssize_t got = peer_read(peer, core->scratch, CHUNK);
    peer->retry = got == AGAIN_WRITE;
    if (got == AGAIN)
        return 1;
    if (got == AGAIN_WRITE)
        return core_mask(core, peer, peer->mask | EPOLLOUT);
    if (got < 0)
        return 0;
    ssize_t put = peer_write(peer->other, core->scratch, (size_t)got);
    if (put < 0)
        return 0;
    return put == got || keep(core, peer, core->scratch + put, (size_t)(got - put));
}

static int flush(Core *core, struct peer *peer)
{
    if (peer->out != NULL) {
        ssize_t put = peer_write(peer, peer->out + peer->out_at, peer->out_size - peer->out_at);
        if (put < 0)
            return 0;
        peer->out_at += (size_t)put;
        if (peer->out_at < peer->out_size)
            return 1;
        free(peer->out);
        peer->out = NULL;
        if (!core_mask(core, peer->other, peer->other->mask | EPOLLIN))
            return 0;
    }
    return core_mask(core, peer, peer->mask & ~(uint32_t)EPOLLOUT);
}

void pair_ready(Core *core, struct peer *peer, uint32_t events)
{
    int good = 1;
    if (events & EPOLLOUT)
        good = flush(core, peer);
    if (good && (peer->mask & EPOLLIN) && ((events & ~(uint32_t)EPOLLOUT) || peer->retry))
        good = read_some(core, peer);
    else if (good && !(peer->mask & EPOLLIN) && (events & (EPOLLHUP | EPOLLERR)))
        /* Its last words are still unread: look again when they are wanted. */
        core_unwatch(core, peer);
    if (!good)
        pair_end(core, peer);
}
