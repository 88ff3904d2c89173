/* Reading and writing one peer, plain or through the OpenSSL that Python's ssl module uses. */
#include "relay.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WANT_READ = 2, WANT_WRITE = 3 };

/* Resolved at run time: the extension is built without OpenSSL's headers, and must use the very library
 * that made the objects, not another copy in the process. */
static struct {
    int (*read)(SSL *, void *, int);
    int (*write)(SSL *, const void *, int);
    int (*get_error)(const SSL *, int);
    int (*get_fd)(const SSL *);
    void (*clear)(void);
} tls;

int tls_load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (library == NULL)
        return 0;
    *(void **)&tls.read = dlsym(library, "SSL_read");
    *(void **)&tls.write = dlsym(library, "SSL_write");
    *(void **)&tls.get_error = dlsym(library, "SSL_get_error");
    *(void **)&tls.get_fd = dlsym(library, "SSL_get_fd");
    *(void **)&tls.clear = dlsym(library, "ERR_clear_error");
    return tls.read && tls.write && tls.get_error && tls.get_fd && tls.clear;
}

/* The beginning of _ssl._SSLSocket in CPython 3.11 to 3.13. */
struct ssl_socket {
    PyObject_HEAD
    PyObject *owner; /* a weak reference to the ssl.SSLSocket */
    SSL *ssl;
};

/* Find the SSL of a Python TLS socket; 0 when it is not laid out as we know it. */
int tls_of(PyObject *sock, PyObject *sslobj, int fd, SSL **found)
{
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030e0000 && !defined(Py_GIL_DISABLED)
    struct ssl_socket *inner = (struct ssl_socket *)sslobj;
    if (tls.read == NULL || strcmp(Py_TYPE(sslobj)->tp_name, "_ssl._SSLSocket") != 0)
        return 0;
    if ((size_t)Py_TYPE(sslobj)->tp_basicsize < sizeof(struct ssl_socket))
        return 0;
    /* The field before must be the weak reference it is meant to be, before the next one is believed. */
    if (inner->owner == NULL || !PyWeakref_CheckRef(inner->owner))
        return 0;
    PyObject *owner = PyObject_CallNoArgs(inner->owner);
    Py_XDECREF(owner);
    if (owner != sock) {
        PyErr_Clear();
        return 0;
    }
    if (inner->ssl == NULL || tls.get_fd(inner->ssl) != fd)
        return 0;
    *found = inner->ssl;
    return 1;
#else
    (void)sock, (void)sslobj, (void)fd, (void)found;
    return 0;
#endif
}

static ssize_t tls_failed(SSL *ssl, int result)
{
    switch (tls.get_error(ssl, result)) {
    case WANT_READ:
        return AGAIN;
    case WANT_WRITE:
        return AGAIN_WRITE;
    default:
        /* Python's own calls in this thread would take the left error for theirs. */
        tls.clear();
        return GONE;
    }
}

ssize_t peer_read(struct peer *peer, unsigned char *into, size_t size)
{
    ssize_t got;
    if (peer->ssl != NULL) {
        tls.clear();
        int result = tls.read(peer->ssl, into, (int)size);
        got = result > 0 ? result : tls_failed(peer->ssl, result);
    } else {
        do
            got = recv(peer->fd, into, size, 0);
        while (got < 0 && errno == EINTR);
        if (got <= 0)
            got = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? AGAIN : GONE;
    }
    if (got > 0)
        peer->received += (uint64_t)got;
    return got;
}

/* Write what goes now; give how much that was, or GONE. */
ssize_t peer_write(struct peer *peer, const unsigned char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t put;
        if (peer->ssl != NULL) {
            tls.clear();
            int result = tls.write(peer->ssl, data + done, (int)(size - done));
            put = result > 0 ? result : tls_failed(peer->ssl, result);
        } else {
            put = send(peer->fd, data + done, size - done, MSG_NOSIGNAL);
            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0)
                put = errno == EAGAIN || errno == EWOULDBLOCK ? AGAIN : GONE;
        }
        if (put == GONE)
            return GONE;
        if (put < 0)
            break;
        done += (size_t)put;
    }
    peer->sent += done;
    return (ssize_t)done;
}
