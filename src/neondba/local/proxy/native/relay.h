/* The relay's fast path: what happens thousands of times a second, without Python.
 *
 * One thread calls Core.wait(). With the interpreter unlocked it moves bytes of direct connections, and
 * whole transactions of pooled ones as long as they are of the plainest kind. Whatever is not plain is
 * given back, untouched, to the Python code, which knows the whole protocol: "surrendered".
 */
#ifndef NEONDBA_RELAY_H
#define NEONDBA_RELAY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

/* Holds a whole TLS record, so that OpenSSL never keeps bytes that epoll would not announce again. */
#define CHUNK (64 * 1024)
#define AWAITED 64
#define CARRY 32
#define SURRENDERED 0x10000u

typedef struct ssl_st SSL;

enum kind { PYTHON, PAIRED, CLIENT, SERVER };

enum { AGAIN = -1, AGAIN_WRITE = -2, GONE = -3 };

/* What Python needs to go on where the fast path stopped. */
struct stash {
    unsigned char *data, *to_client, *to_server;
    size_t size, to_client_size, to_server_size;
    int from_server, gone;
};

struct peer {
    int fd;
    enum kind kind;
    SSL *ssl;
    uint32_t mask;
    int watched, retry;
    struct peer *other;      /* the other half of a pair, or of a transaction */
    uint64_t sent, received; /* since Python last asked */
    unsigned char *out;      /* of a pair only: what this peer takes late, at most one chunk */
    size_t out_size, out_at;
    int pool, key, held;     /* held: a cancel request is on its way to it */
    struct peer *next;       /* in the pool's list of free servers */
    double idle_since;
    size_t skip;             /* bytes of an answer that still come */
    unsigned char carry[CARRY];
    size_t carried;
    unsigned char awaited[AWAITED], status;
    unsigned awaiting;
    struct stash *stash;
};

struct pool {
    struct peer *free;
    int waiting; /* somebody waits in Python: freed servers go there */
};

struct event {
    int fd;
    uint32_t events;
};

typedef struct {
    PyObject_HEAD
    int epoll;
    struct peer **peers;
    int peers_size;
    struct pool *pools;
    int pools_size;
    struct event *events;
    size_t events_count, events_size;
    unsigned char *scratch;
} Core;

/* io.c */
int tls_load(const char *path);
int tls_of(PyObject *sock, PyObject *sslobj, int fd, SSL **found);
ssize_t peer_read(struct peer *peer, unsigned char *into, size_t size);
ssize_t peer_write(struct peer *peer, const unsigned char *data, size_t size);

/* core.c */
int core_mask(Core *core, struct peer *peer, uint32_t mask);
void core_unwatch(Core *core, struct peer *peer);
int core_event(Core *core, int fd, uint32_t events);
double core_now(void);

/* pair.c */
void pair_ready(Core *core, struct peer *peer, uint32_t events);

/* pooled.c */
void client_ready(Core *core, struct peer *client);
void server_ready(Core *core, struct peer *server);
void pool_push(struct pool *pool, struct peer *server);
void pool_remove(struct pool *pool, struct peer *server);
struct peer *pool_draw(struct pool *pool, int key, int any);
void stash_free(struct peer *peer);

#endif
