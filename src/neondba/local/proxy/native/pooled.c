/* Pooled connections: whole transactions of plain messages.
 *
 * A chunk is looked through before anything is done with it. If one message in it is not plain, the state
 * stays as it was and the chunk is surrendered, with both sides, to the Python code.
 */
#include "relay.h"

#include <stdlib.h>
#include <string.h>

struct answer {
    size_t skip, used;
    unsigned done;
    int ready;
    unsigned char status;
};

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void pool_push(struct pool *pool, struct peer *server)
{
    server->next = pool->free;
    server->idle_since = core_now();
    pool->free = server;
}

void pool_remove(struct pool *pool, struct peer *server)
{
    for (struct peer **at = &pool->free; *at != NULL; at = &(*at)->next)
        if (*at == server) {
            *at = server->next;
            server->next = NULL;
            return;
        }
}

/* Take the server that was used last, for it is the warmest; with `any`, whatever parameters it has. */
struct peer *pool_draw(struct pool *pool, int key, int any)
{
    struct peer *found = NULL;
    for (struct peer *at = pool->free; at != NULL && found == NULL; at = at->next)
        if (at->key == key)
            found = at;
    if (found == NULL && any)
        found = pool->free;
    if (found != NULL)
        pool_remove(pool, found);
    return found;
}

void stash_free(struct peer *peer)
{
    if (peer->stash == NULL)
        return;
    free(peer->stash->data);
    free(peer->stash->to_client);
    free(peer->stash->to_server);
    free(peer->stash);
    peer->stash = NULL;
}

static unsigned char *copied(const unsigned char *data, size_t size, int *gone)
{
    unsigned char *copy = size ? malloc(size) : NULL;
    if (copy != NULL)
        memcpy(copy, data, size);
    else if (size)
        *gone = 1;
    return copy;
}

/* Give a client, or a server that nobody uses, back to Python; a linked server goes along. */
static struct stash *surrender(Core *core, struct peer *peer)
{
    struct stash *stash = calloc(1, sizeof *stash);
    peer->kind = PYTHON;
    if (peer->other != NULL)
        peer->other->kind = PYTHON;
    peer->stash = stash;
    core_event(core, peer->fd, SURRENDERED);
    return stash;
}

static void surrender_data(Core *core, struct peer *peer, int from_server, const unsigned char *data, ssize_t size)
{
    struct stash *stash = surrender(core, peer);
    if (stash == NULL)
        return; /* Python takes a missing stash for a connection that is gone. */
    stash->from_server = from_server;
    stash->gone = size < 0;
    if (size > 0) {
        stash->data = copied(data, (size_t)size, &stash->gone);
        stash->size = (size_t)size;
    }
}

/* Tell whether a Bind names neither portal nor statement: `body` holds two names at least. */
static int unnamed_bind(const unsigned char *body, size_t size)
{
    const unsigned char *end = memchr(body, 0, size);
    return end != NULL && (size_t)(end - body) + 1 < size && end[1] == 0;
}

/* Tell whether these are whole, plain messages; list their letters. */
static int scan_client(const unsigned char *data, size_t size, unsigned char *letters, unsigned *count)
{
    size_t at = 0;
    for (*count = 0; at < size; (*count)++) {
        if (size - at < 5 || *count == AWAITED)
            return 0;
        size_t length = word(data + at + 1);
        if (length < 4 || length > size - at - 1)
            return 0;
        const unsigned char *body = data + at + 5;
        size_t rest = length - 4;
        switch (data[at]) {
        case 'Q':
        case 'S':
        case 'E':
            break;
        case 'P':
            if (rest < 1 || body[0] != 0)
                return 0;
            break;
        case 'B':
            if (!unnamed_bind(body, rest))
                return 0;
            break;
        case 'D':
        case 'C':
            if (rest < 2 || (body[0] == 'S' && body[1] != 0))
                return 0;
            break;
        default:
            return 0;
        }
        letters[*count] = data[at];
        at += 1 + length;
    }
    return 1;
}

static int finishes(unsigned char sent, unsigned char answer)
{
    switch (sent) {
    case 'P':
        return answer == '1';
    case 'B':
        return answer == '2';
    case 'C':
        return answer == '3';
    case 'D':
        return answer == 'T' || answer == 'n';
    case 'E':
        return answer == 'C' || answer == 'I' || answer == 's';
    default:
        return answer == 'Z';
    }
}

static int forgets(const unsigned char *tag, size_t size)
{
    return (size == 15 && memcmp(tag, "DEALLOCATE ALL", 15) == 0) ||
           (size == 12 && memcmp(tag, "DISCARD ALL", 12) == 0);
}

/* Tell whether these answers are plain: no error, no parameter, no COPY towards the server. */
static int scan_server(const struct peer *server, const unsigned char *data, size_t size, struct answer *answer)
{
    size_t at = server->skip < size ? server->skip : size;
    answer->skip = server->skip - at;
    answer->done = 0;
    answer->ready = 0;
    answer->status = server->status;
    while (size - at >= 5) {
        unsigned char letter = data[at];
        size_t length = word(data + at + 1), end = at + 1 + length;
        if (length < 4 || letter == 'E' || letter == 'S' || letter == 'G')
            return 0;
        if (letter == 'Z' && length != 5)
            return 0;
        int whole = letter == 'Z' || (letter == 'C' && (length == 19 || length == 16));
        if (whole && end > size)
            break;
        if (letter == 'C' && whole && forgets(data + at + 5, length - 4))
            return 0;
        if (answer->done < server->awaiting && finishes(server->awaited[answer->done], letter))
            answer->done++;
        if (letter == 'Z') {
            answer->ready = 1;
            answer->status = data[at + 5];
        }
        at = end;
        if (at > size) {
            answer->skip = at - size;
            at = size;
        }
    }
    answer->used = at;
    return size - at < CARRY;
}

void client_ready(Core *core, struct peer *client)
{
    unsigned char letters[AWAITED];
    unsigned count;
    ssize_t got = peer_read(client, core->scratch, CHUNK);
    if (got == AGAIN)
        return;
    struct peer *server = client->other;
    if (got < 0 || !scan_client(core->scratch, (size_t)got, letters, &count)) {
        surrender_data(core, client, 0, core->scratch, got == AGAIN_WRITE ? 0 : got);
        return;
    }
    if (server == NULL && !core->pools[client->pool].waiting)
        server = pool_draw(&core->pools[client->pool], client->key, 0);
    if (server == NULL || server->awaiting + count > AWAITED) {
        surrender_data(core, client, 0, core->scratch, got);
        return;
    }
    client->other = server;
    server->other = client;
    memcpy(server->awaited + server->awaiting, letters, count);
    server->awaiting += count;
    ssize_t put = peer_write(server, core->scratch, (size_t)got);
    if (put == got)
        return;
    struct stash *stash = surrender(core, client);
    if (stash == NULL)
        return;
    stash->from_server = 1;
    stash->gone = put < 0;
    if (put >= 0) {
        stash->to_server_size = (size_t)(got - put);
        stash->to_server = copied(core->scratch + put, stash->to_server_size, &stash->gone);
    }
}

/* Part the two after a transaction; the server is free for whoever comes next. */
static void part(Core *core, struct peer *client, struct peer *server)
{
    struct pool *pool = &core->pools[server->pool];
    client->other = server->other = NULL;
    if (!pool->waiting && !server->held && !server->carried) {
        pool_push(pool, server);
        return;
    }
    surrender_data(core, server, 1, server->carry, (ssize_t)server->carried);
    server->carried = 0;
}

static void tell(Core *core, struct peer *client, struct peer *server, size_t size, int over)
{
    ssize_t put = peer_write(client, core->scratch, size);
    if (put == (ssize_t)size) {
        if (over)
            part(core, client, server);
        return;
    }
    struct stash *stash = surrender(core, client);
    if (stash == NULL)
        return;
    stash->gone = put < 0;
    if (put >= 0) {
        stash->to_client_size = size - (size_t)put;
        stash->to_client = copied(core->scratch + put, stash->to_client_size, &stash->gone);
    }
}

void server_ready(Core *core, struct peer *server)
{
    struct peer *client = server->other;
    struct answer answer;
    size_t carried = server->carried;
    memcpy(core->scratch, server->carry, carried);
    ssize_t got = peer_read(server, core->scratch + carried, CHUNK - carried);
    if (got == AGAIN)
        return;
    size_t size = got > 0 ? carried + (size_t)got : 0;
    if (client == NULL)
        pool_remove(&core->pools[server->pool], server);
    if (client == NULL || got < 0 || !scan_server(server, core->scratch, size, &answer)) {
        server->carried = 0;
        surrender_data(core, client ? client : server, 1, core->scratch, got < 0 ? -1 : (ssize_t)size);
        return;
    }
    server->skip = answer.skip;
    server->status = answer.status;
    server->awaiting -= answer.done;
    memmove(server->awaited, server->awaited + answer.done, server->awaiting);
    server->carried = size - answer.used;
    memcpy(server->carry, core->scratch + answer.used, server->carried);
    tell(core, client, server, answer.used, answer.ready && answer.status == 'I' && server->awaiting == 0);
}
