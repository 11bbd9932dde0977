//! wasmtime bindings of the interfaces that the host gives to components.
