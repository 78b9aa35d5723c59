//! A PKCS#11 module that hands every call on to a real one, writes it down, and fails as it is told.
//!
//! | environment | |
//! | --- | --- |
//! | `P11FAULT_MODULE` | the real module |
//! | `P11FAULT_CTL` | the file with the rules, read again whenever it changes |
//! | `P11FAULT_LOG` | the file that every call is written to |
//! | `P11FAULT_RESERVED` | handed to the real module's `C_Initialize` |
//! | `P11FAULT_MAX_SESSIONS` | a limit of sessions, told and kept |
//! | `P11FAULT_TOKEN_FLAGS` | flags that every token has besides, in hexadecimal |
//! | `P11FAULT_HIDE_MECHANISMS` | mechanisms that are neither listed nor taken, in hexadecimal, by commas |
//! | `P11FAULT_CANT_LOCK` | `C_Initialize` cannot lock |
//! | `P11FAULT_BAD_UTC_TIME` | tokens tell a time that is none |
//!
//! A rule is a line `FUNCTION SKIP COUNT CODE WHEN [SLEEP_MS]`: after `SKIP` calls, the next `COUNT` (-1: all) answer
//! `CODE` (0: what the real function does), instead of the real call (`before`) or after it (`after`), and sleep before
//! that. `*` is every function. `C_Sign … wrongkey` spoils the signature, `C_OpenSession … samehandle` answers the
//! last handle again.

mod bare;
mod calls;
mod forwarded;
mod list;
mod real;
mod rules;
mod special;

pub use bare::{BareModule, BareSession};
pub use list::C_GetFunctionList;
