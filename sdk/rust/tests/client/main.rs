//! The client against a server whose answers are scripted.

mod fake_server;
mod logs;
mod traces;
mod waits;
mod watching;
