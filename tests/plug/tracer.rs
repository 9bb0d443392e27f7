//! The tracer: runs the real program and stops every thread of it at the door of every system
//! call, in one order for the whole process.
//!
//! `strace -e inject` cannot do this: it counts each call of each thread on its own, so that with
//! several threads its n-th call is not the n-th of the program, and late calls of quiet threads
//! are never reached.

use std::collections::BTreeMap;
use std::io::{IoSliceMut, Read as _, Seek as _};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A system call at its door, or on its way out.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub process: Pid,
    pub number: i64,
    pub args: [u64; 6],
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// The whole process dies now; the call is not executed.
    Kill,
    /// The call is not executed, and its caller is told this.
    Fail(Errno),
}

/// Who watches a traced program.
pub trait Watch {
    fn enters(&mut self, call: &Call) -> Verdict;
    fn leaves(&mut self, _call: &Call, _result: i64) {}
}

/// How a traced program ended.
#[derive(Debug)]
pub struct Ended {
    /// None when it was killed.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Call {
    /// `length` bytes of the caller's memory.
    pub fn bytes(&self, at: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut read = 0;
        while read < length {
            let base = usize::try_from(at).unwrap() + read;
            let len = length - read;
            let from = [RemoteIoVec { base, len }];
            let mut to = [IoSliceMut::new(&mut bytes[read..])];
            read += process_vm_readv(self.process, &mut to, &from).unwrap();
        }
        bytes
    }

    /// The text that ends with a zero; read piece by piece, for the next page may not be there.
    pub fn text(&self, at: u64) -> String {
        let mut text = Vec::new();
        loop {
            let here = at + u64::try_from(text.len()).unwrap();
            let piece = usize::try_from(256 - here % 256).unwrap();
            let piece = self.bytes(here, piece);
            if let Some(end) = piece.iter().position(|byte| *byte == 0) {
                text.extend(&piece[..end]);
                return String::from_utf8(text).unwrap();
            }
            text.extend(piece);
        }
    }
}

/// Runs the command, whose environment is only what it names, to its end.
#[allow(
    clippy::zombie_processes,
    reason = "the tracer waits for it, by its own waitpid"
)]
pub fn run(command: &Command, watch: &mut dyn Watch) -> Ended {
    let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    // A shell that waits to be traced, and then becomes the program.
    let mut waiting = Command::new("/bin/sh");
    waiting.args(["-c", r#"kill -STOP $$; exec "$0" "$@""#]);
    waiting.arg(command.get_program()).args(command.get_args());
    waiting.env_clear().stdin(Stdio::null());
    waiting.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    waiting.current_dir(command.get_current_dir().unwrap());
    waiting
        .stdout(out.try_clone().unwrap())
        .stderr(err.try_clone().unwrap());
    let child = waiting.spawn().unwrap();
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap());
    waitpid(process, Some(WaitPidFlag::WUNTRACED)).unwrap();
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(process, options).unwrap();
    kill(process, Signal::SIGCONT).unwrap();
    let code = Tracer {
        process,
        watch,
        threads: BTreeMap::new(),
        armed: false,
    }
    .until_end();
    let mut texts = [String::new(), String::new()];
    for (file, text) in [&mut out, &mut err].into_iter().zip(&mut texts) {
        file.rewind().unwrap();
        file.read_to_string(text).unwrap();
    }
    let [out, err] = texts;
    Ended { code, out, err }
}

struct Tracer<'a> {
    process: Pid,
    watch: &'a mut dyn Watch,
    /// The call that each thread is in, and what it is to be told instead of executing it.
    threads: BTreeMap<Pid, (Call, Option<Errno>)>,
    /// True once the shell has become the program.
    armed: bool,
}

impl Tracer<'_> {
    fn until_end(mut self) -> Option<i32> {
        // Children of this thread only: others trace programs of their own.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(WaitStatus::Exited(thread, code)) if thread == self.process => {
                    return Some(code);
                }
                Ok(WaitStatus::Signaled(thread, ..)) if thread == self.process => return None,
                Ok(WaitStatus::PtraceSyscall(thread)) => {
                    // A thread that is gone needs nothing more: the process was killed.
                    let _ = self
                        .at_door(thread)
                        .and_then(|()| ptrace::syscall(thread, None));
                }
                Ok(WaitStatus::PtraceEvent(thread, _, event)) => {
                    self.armed |= event == libc::PTRACE_EVENT_EXEC;
                    let _ = ptrace::syscall(thread, None);
                }
                Ok(WaitStatus::Stopped(thread, signal)) => {
                    let _ = ptrace::syscall(thread, signal);
                }
                Ok(_) => {}
                Err(why) => panic!("the traced program is lost: {why}"),
            }
        }
    }

    fn at_door(&mut self, thread: Pid) -> Result<(), Errno> {
        let mut regs = ptrace::getregs(thread)?;
        // On its way in a call's result is ENOSYS; on its way out the thread is known to be inside.
        match self.threads.remove(&thread) {
            Some((call, refused)) => {
                if let Some(errno) = refused {
                    regs.rax = (-i64::from(errno as i32)).cast_unsigned();
                    ptrace::setregs(thread, regs)?;
                }
                self.watch.leaves(&call, regs.rax.cast_signed());
            }
            None if self.armed && regs.rax.cast_signed() == -i64::from(libc::ENOSYS) => {
                let call = Call {
                    process: self.process,
                    number: regs.orig_rax.cast_signed(),
                    args: [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9],
                };
                let mut refused = None;
                match self.watch.enters(&call) {
                    Verdict::Pass => {}
                    Verdict::Kill => kill(self.process, Signal::SIGKILL)?,
                    Verdict::Fail(errno) => {
                        regs.orig_rax = u64::MAX;
                        ptrace::setregs(thread, regs)?;
                        refused = Some(errno);
                    }
                }
                self.threads.insert(thread, (call, refused));
            }
            None => {}
        }
        Ok(())
    }
}
