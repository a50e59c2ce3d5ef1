//! Tests of the client against a server with scripted answers.

mod definitions;
mod fake_server;
mod logs;
mod traces;
mod watching;
