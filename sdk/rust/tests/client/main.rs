//! Tests of the client against a server with scripted answers.

mod fake_server;
mod logs;
mod traces;
mod watching;
