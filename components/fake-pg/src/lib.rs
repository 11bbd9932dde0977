//! A payment gateway that tests can steer.
