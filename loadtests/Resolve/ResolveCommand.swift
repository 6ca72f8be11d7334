import ArgumentParser

/// `longshore-bench resolve`: what cargo does on `cargo update`, on a new machine or in a container.
struct ResolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Measures how long cargo's dependency resolution takes, from config.json to the last index file.",
        discussion: """
            A session is one cargo: new connections, two at most; config.json, then rounds, each when all answers of
            the one before are in. What a round asks is what cargo 1.95 would ask: a resolver reads the files.
            A file that is not there (404) is counted among the errors, and fails no session.

              longshore-bench resolve https://eu.registry.example/main/index/ --manifest Cargo.toml
              longshore-bench resolve http://127.0.0.1:8081/main/index/ --apps apps.json --home warm --users 8
              longshore-bench resolve http://127.0.0.1:8081/main/index/ --lock Cargo.lock --home locked --rate 5

              --home cold    nothing is kept: every file is asked for anew
              --home warm    every file was read before and is revalidated
              --home locked  as cold, then all crates at once: a container that builds with a lock file

            `own work` among the steps is the time in which the load generator read files and thought; it is part of
            the latency, as it is of cargo's. It is small once files were seen: --learn-from makes it so from the start.
            """)

    @Argument(help: "The index: where config.json lies.") var indexURL: String
    @OptionGroup var things: ResolvedThings
    @Option(help: "What a user's home holds: cold, warm or locked.") var home = CargoHome.Kind.cold
    @Option(help: WireTarget.Speech.help) var speech: WireTarget.Speech?
    @Option(
        help: ArgumentHelp(
            "Another server of the same index, read once before, so that nothing is left to think about and the "
                + "measured server stays cold.", valueName: "url")) var learnFrom: String?
    @Option(help: ArgumentHelp("The token for a private repository.", valueName: "file")) var tokenFile: String?
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "file")) var caFile: String?
    @OptionGroup var load: LoadOptions

    func validate() throws { try things.checkGiven() }

    func run() async throws {
        let token = try tokenFile.map { path throws(BenchFailure) in
            try SecretText.read(path, flag: "--token-file")
        }
        try OpenFiles.allow(2 * load.sessionsAtOnce + 64)
        let (applications, library) = (try things.applications(), IndexLibrary())
        func maker(_ url: String, _ kind: CargoHome.Kind) throws -> ResolveMaker {
            ResolveMaker(
                place: try RegistryPlace(url, speech, token: token, caFile: caFile), home: CargoHome(kind),
                library: library, applications: applications)
        }
        if let learnFrom { try await maker(learnFrom, .cold).learn() }
        let settings = [
            ("resolved", things.shown), ("home", home.rawValue), ("speech", speech?.rawValue ?? "as cargo"),
            ("token", "\(token != nil)"),
        ]
        try await LoadRun("resolve", options: load, settings: settings).measure(indexURL) { url in
            let maker = try maker(url, home)
            if home == .warm { try await maker.learn() }
            return maker
        }
    }
}

extension CargoHome.Kind: ExpressibleByArgument {}
