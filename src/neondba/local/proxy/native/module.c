/* What Python sees: an object that waits as select.epoll does, and takes descriptors on loan. */
#include "core.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static PyObject *failed(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* The peer of a registered descriptor; NULL with KeyError set. */
static struct peer *known(Core *core, int fd)
{
    struct peer *peer = core_peer(core, fd);
    if (peer == NULL)
        PyErr_Format(PyExc_KeyError, "descriptor %d is not registered", fd);
    return peer;
}

static PyObject *core_register(Core *core, PyObject *arguments)
{
    int fd;
    unsigned int mask;
    if (!PyArg_ParseTuple(arguments, "iI", &fd, &mask))
        return NULL;
    if (fd < 0 || fd > 1 << 20)
        return PyErr_Format(PyExc_ValueError, "no descriptor: %d", fd);
    struct peer *peer = core_make(core, fd);
    if (peer == NULL)
        return NULL;
    if (!core_mask(core, peer, mask)) {
        peer->watched = 0;
        failed();
        core_drop(core, peer);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *core_modify(Core *core, PyObject *arguments)
{
    int fd;
    unsigned int mask;
    if (!PyArg_ParseTuple(arguments, "iI", &fd, &mask))
        return NULL;
    struct peer *peer = known(core, fd);
    if (peer == NULL)
        return NULL;
    return core_mask(core, peer, mask) ? Py_NewRef(Py_None) : failed();
}

static PyObject *core_unregister(Core *core, PyObject *argument)
{
    int fd = (int)PyLong_AsLong(argument);
    if (PyErr_Occurred())
        return NULL;
    struct peer *peer = known(core, fd);
    if (peer == NULL)
        return NULL;
    core_drop(core, peer);
    Py_RETURN_NONE;
}

static PyObject *core_poll(Core *core, PyObject *argument)
{
    double seconds = PyFloat_AsDouble(argument);
    int good;
    if (PyErr_Occurred())
        return NULL;
    if (core->epoll < 0)
        return PyErr_Format(PyExc_ValueError, "closed");
    Py_BEGIN_ALLOW_THREADS
    good = core_wait(core, seconds);
    Py_END_ALLOW_THREADS
    if (!good)
        return failed();
    PyObject *list = PyList_New((Py_ssize_t)core->events_count);
    for (size_t at = 0; list != NULL && at < core->events_count; at++) {
        PyObject *event = Py_BuildValue("iI", core->events[at].fd, core->events[at].events);
        if (event == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)at, event);
    }
    return list;
}

static int pool_known(Core *core, int pool)
{
    if (pool >= 0 && pool < core->pools_size)
        return 1;
    PyErr_Format(PyExc_KeyError, "pool %d is not known", pool);
    return 0;
}

/* Find out how a socket is read: by itself, or through its TLS; 0 when that is not possible here. */
static int found_tls(PyObject *sock, int fd, SSL **ssl)
{
    *ssl = NULL;
    PyObject *inner = PyObject_GetAttrString(sock, "_sslobj");
    if (inner == NULL) {
        PyErr_Clear();
        return 1;
    }
    int good = tls_of(sock, inner, fd, ssl);
    Py_DECREF(inner);
    return good;
}

static PyObject *core_pair(Core *core, PyObject *arguments)
{
    PyObject *sock;
    int first, second;
    SSL *ssl;
    if (!PyArg_ParseTuple(arguments, "Oii", &sock, &first, &second))
        return NULL;
    struct peer *client = known(core, first), *compute = client ? known(core, second) : NULL;
    if (compute == NULL)
        return NULL;
    if (client == compute || client->kind != PYTHON || compute->kind != PYTHON || !found_tls(sock, first, &ssl))
        Py_RETURN_FALSE;
    client->ssl = ssl;
    client->kind = compute->kind = PAIRED;
    client->other = compute;
    compute->other = client;
    client->pool = 1;
    compute->pool = 0;
    Py_RETURN_TRUE;
}

static PyObject *core_pool(Core *core, PyObject *Py_UNUSED(nothing))
{
    struct pool *more = realloc(core->pools, (size_t)(core->pools_size + 1) * sizeof *more);
    if (more == NULL)
        return PyErr_NoMemory();
    core->pools = more;
    memset(&core->pools[core->pools_size], 0, sizeof *more);
    return PyLong_FromLong(core->pools_size++);
}

static PyObject *core_waiting(Core *core, PyObject *arguments)
{
    int pool, waiting;
    if (!PyArg_ParseTuple(arguments, "ip", &pool, &waiting) || !pool_known(core, pool))
        return NULL;
    core->pools[pool].waiting = waiting;
    Py_RETURN_NONE;
}

/* Lend an idle client: (socket, descriptor, pool, key). */
static PyObject *core_rest(Core *core, PyObject *arguments)
{
    PyObject *sock;
    int fd, pool, key;
    SSL *ssl;
    if (!PyArg_ParseTuple(arguments, "Oiii", &sock, &fd, &pool, &key) || !pool_known(core, pool))
        return NULL;
    struct peer *peer = known(core, fd);
    if (peer == NULL)
        return NULL;
    if (peer->kind != PYTHON || peer->stash != NULL || !found_tls(sock, fd, &ssl))
        Py_RETURN_FALSE;
    peer->ssl = ssl;
    peer->pool = pool;
    peer->key = key;
    peer->other = NULL;
    peer->kind = CLIENT;
    Py_RETURN_TRUE;
}

/* Lend a free server: (descriptor, pool, key). */
static PyObject *core_offer(Core *core, PyObject *arguments)
{
    int fd, pool, key;
    if (!PyArg_ParseTuple(arguments, "iii", &fd, &pool, &key) || !pool_known(core, pool))
        return NULL;
    struct peer *peer = known(core, fd);
    if (peer == NULL)
        return NULL;
    if (peer->kind != PYTHON || peer->stash != NULL)
        Py_RETURN_FALSE;
    peer->pool = pool;
    peer->key = key;
    peer->other = NULL;
    peer->skip = peer->carried = 0;
    peer->awaiting = 0;
    peer->status = 'I';
    peer->kind = SERVER;
    pool_push(&core->pools[pool], peer);
    Py_RETURN_TRUE;
}

/* Take a free server back: (pool, key); its descriptor, or -1. */
static PyObject *core_draw(Core *core, PyObject *arguments)
{
    int pool, key;
    if (!PyArg_ParseTuple(arguments, "ii", &pool, &key) || !pool_known(core, pool))
        return NULL;
    struct peer *server = pool_draw(&core->pools[pool], key, 1);
    if (server != NULL)
        server->kind = PYTHON;
    return PyLong_FromLong(server != NULL ? server->fd : -1);
}

static PyObject *core_stale(Core *core, PyObject *arguments)
{
    int pool;
    double seconds, now = core_now();
    if (!PyArg_ParseTuple(arguments, "id", &pool, &seconds) || !pool_known(core, pool))
        return NULL;
    PyObject *list = PyList_New(0);
    for (struct peer *at = core->pools[pool].free; list != NULL && at != NULL; at = at->next) {
        PyObject *fd = now - at->idle_since > seconds ? PyLong_FromLong(at->fd) : NULL;
        if (fd != NULL && PyList_Append(list, fd) < 0)
            Py_CLEAR(list);
        Py_XDECREF(fd);
    }
    return PyErr_Occurred() ? (Py_XDECREF(list), NULL) : list;
}

/* Hold a client's server from other clients: (client's descriptor); the server's, or -1. */
static PyObject *core_hold(Core *core, PyObject *argument)
{
    int fd = (int)PyLong_AsLong(argument);
    struct peer *peer = PyErr_Occurred() ? NULL : known(core, fd);
    if (peer == NULL)
        return NULL;
    if (peer->kind != CLIENT || peer->other == NULL)
        return PyLong_FromLong(-1);
    peer->other->held = 1;
    return PyLong_FromLong(peer->other->fd);
}

static PyObject *core_moved(Core *core, PyObject *argument)
{
    int fd = (int)PyLong_AsLong(argument);
    struct peer *peer = PyErr_Occurred() ? NULL : known(core, fd);
    if (peer == NULL)
        return NULL;
    PyObject *moved = Py_BuildValue("KK", (unsigned long long)peer->sent, (unsigned long long)peer->received);
    peer->sent = peer->received = 0;
    return moved;
}

static PyObject *bytes_of(const unsigned char *data, size_t size)
{
    return PyBytes_FromStringAndSize((const char *)data, data != NULL ? (Py_ssize_t)size : 0);
}

/* Take a lent descriptor back, surrendered or not, with all that is in the air. */
static PyObject *core_reclaim(Core *core, PyObject *argument)
{
    int fd = (int)PyLong_AsLong(argument);
    struct peer *peer = PyErr_Occurred() ? NULL : known(core, fd);
    if (peer == NULL)
        return NULL;
    if (peer->kind == SERVER && peer->other == NULL)
        pool_remove(&core->pools[peer->pool], peer);
    struct stash empty = {0}, *stash = peer->stash ? peer->stash : &empty;
    struct peer *other = peer->other, *server = other && other->pool == peer->pool ? other : peer;
    int surrendered = peer->kind == PYTHON;
    PyObject *result = Py_BuildValue(
        "{s:i,s:i,s:i,s:N,s:N,s:N,s:N,s:n,s:N,s:i,s:N}", "server", other ? other->fd : -1, "from_server",
        stash->from_server, "gone", stash->gone || (surrendered && peer->stash == NULL), "data",
        bytes_of(stash->data, stash->size), "to_client", bytes_of(stash->to_client, stash->to_client_size),
        "to_server", bytes_of(stash->to_server, stash->to_server_size), "awaited",
        bytes_of(server->awaited, server->awaiting), "skip", (Py_ssize_t)server->skip, "carry",
        bytes_of(server->carry, server->carried), "status", (int)server->status, "out",
        bytes_of(peer->out ? peer->out + peer->out_at : NULL, peer->out_size - peer->out_at));
    if (result == NULL)
        return NULL;
    stash_free(peer);
    peer->kind = PYTHON;
    peer->other = NULL;
    peer->held = 0;
    if (other != NULL) {
        other->kind = PYTHON;
        other->other = NULL;
        other->held = 0;
    }
    return result;
}

static PyObject *core_close(Core *core, PyObject *Py_UNUSED(nothing))
{
    if (core->epoll >= 0)
        close(core->epoll);
    core->epoll = -1;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"register", (PyCFunction)core_register, METH_VARARGS, NULL},
    {"modify", (PyCFunction)core_modify, METH_VARARGS, NULL},
    {"unregister", (PyCFunction)core_unregister, METH_O, NULL},
    {"poll", (PyCFunction)core_poll, METH_O, NULL},
    {"pair", (PyCFunction)core_pair, METH_VARARGS, NULL},
    {"pool", (PyCFunction)core_pool, METH_NOARGS, NULL},
    {"waiting", (PyCFunction)core_waiting, METH_VARARGS, NULL},
    {"rest", (PyCFunction)core_rest, METH_VARARGS, NULL},
    {"offer", (PyCFunction)core_offer, METH_VARARGS, NULL},
    {"draw", (PyCFunction)core_draw, METH_VARARGS, NULL},
    {"stale", (PyCFunction)core_stale, METH_VARARGS, NULL},
    {"hold", (PyCFunction)core_hold, METH_O, NULL},
    {"moved", (PyCFunction)core_moved, METH_O, NULL},
    {"reclaim", (PyCFunction)core_reclaim, METH_O, NULL},
    {"close", (PyCFunction)core_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *core_new(PyTypeObject *type, PyObject *Py_UNUSED(positional), PyObject *Py_UNUSED(named))
{
    Core *core = (Core *)type->tp_alloc(type, 0);
    if (core == NULL)
        return NULL;
    core->epoll = -1;
    if (!core_begin(core)) {
        failed();
        Py_DECREF(core);
        return NULL;
    }
    return (PyObject *)core;
}

static void core_dealloc(Core *core)
{
    core_end(core);
    if (core->epoll >= 0)
        close(core->epoll);
    Py_TYPE(core)->tp_free((PyObject *)core);
}

static PyTypeObject core_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "neondba.local.proxy._relay.Core",
    .tp_basicsize = sizeof(Core),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Waits for descriptors and moves the plainest bytes by itself.",
    .tp_methods = methods,
    .tp_new = core_new,
    .tp_dealloc = (destructor)core_dealloc,
};

/* Tell the path of Python's _ssl; False when its OpenSSL cannot be reached. */
static PyObject *use_tls(PyObject *Py_UNUSED(module), PyObject *argument)
{
    const char *path = PyUnicode_AsUTF8(argument);
    if (path == NULL)
        return NULL;
    return PyBool_FromLong(tls_load(path));
}

static PyMethodDef functions[] = {
    {"use_tls", use_tls, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_relay", .m_size = -1, .m_methods = functions,
};

PyMODINIT_FUNC PyInit__relay(void)
{
    PyObject *module = PyType_Ready(&core_type) == 0 ? PyModule_Create(&definition) : NULL;
    if (module != NULL && PyModule_AddObjectRef(module, "Core", (PyObject *)&core_type) < 0)
        Py_CLEAR(module);
    return module;
}
