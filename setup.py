"""The one thing pyproject.toml cannot say everywhere yet: an extension that may fail to build."""

from setuptools import Extension, setup

HERE = "src/neondba/local/proxy/native"
SOURCES = [f"{HERE}/{name}.c" for name in ("core", "io", "module", "pair", "pooled")]

setup(
    ext_modules=[
        Extension(
            "neondba.local.proxy._relay",
            SOURCES,
            depends=[f"{HERE}/relay.h", f"{HERE}/core.h"],
            extra_compile_args=["-O2", "-std=gnu11", "-Wall", "-Wextra"],
            libraries=["dl"],
            # Without a compiler, or where there is no epoll, the relay written in Python does it all.
            optional=True,
        )
    ]
)
