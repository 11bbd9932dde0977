//! The only public door.
