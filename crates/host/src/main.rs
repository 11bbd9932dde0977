//! bodega: runs a Spin application in one process.

fn main() -> std::process::ExitCode {
    host::cli::main()
}
