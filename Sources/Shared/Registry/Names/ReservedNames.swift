extension CrateName {
    /// True for names that nobody may publish: those of Rust's own crates, and of devices that Windows sees in every
    /// folder. Compared as identities, as on crates.io.
    ///
    /// Source: docs/PROTOCOL.md, "Rules", reserved.
    package var isReserved: Bool { Self.reservedIdentities.contains(identity) }

    private static let reservedIdentities: Set<String> = [
        "alloc", "arena", "ast", "builtins", "collections", "compiler_builtins", "compiler_rt", "compiletest", "core",
        "coretest", "debug", "driver", "flate", "fmt_macros", "grammar", "graphviz", "macro", "macros", "proc_macro",
        "rbml", "rust_installer", "rustbook", "rustc", "rustc_back", "rustc_borrowck", "rustc_driver", "rustc_llvm",
        "rustc_resolve", "rustc_trans", "rustc_typeck", "rustdoc", "rustllvm", "rustuv", "serialize", "std", "syntax",
        "test", "unicode",
        "nul", "con", "prn", "aux",
        "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
        "lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
    ]
}
