import ArgumentParser
import FoundationEssentials

/// `longshore-bench fetch`: crate downloads, all at once as cargo does them.
struct FetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Downloads the crates of a lock file all at once, as cargo does, and checks their SHA-256.",
        discussion: """
            A session is one cargo: new connections, two at most, and all crates asked for at once. Its latency
            is the time to the last crate; `crate` is that of each download.

              longshore-bench fetch https://eu.registry.example/main/index/ --lock Cargo.lock --users 4
              longshore-bench fetch http://127.0.0.1:8080 --paths crates.txt --duration 30s --html fetch.html

            With --lock the address is an index, whose config.json says where crates lie; with --paths it is what
            the paths lie below. Redirects are not followed: they count as errors.
            """)

    @Argument(help: "The index's address, or with --paths a server's.") var url: String
    @Option(help: ArgumentHelp("A Cargo.lock.", valueName: "file")) var lock: String?
    @Option(help: ArgumentHelp("Instead: a path a line, and its SHA-256 if known.", valueName: "file"))
    var paths: String?
    @Option(help: WireTarget.Speech.help) var speech: WireTarget.Speech?
    @Option(help: ArgumentHelp("A token for each request.", valueName: "file")) var tokenFile: String?
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "file")) var caFile: String?
    @OptionGroup var load: LoadOptions

    func validate() throws {
        guard (lock == nil) != (paths == nil) else { throw ValidationError("give one of --lock and --paths") }
    }

    func run() async throws {
        let token = try tokenFile.map { path throws(BenchFailure) in
            try SecretText.read(path, flag: "--token-file")
        }
        try OpenFiles.allow(2 * load.sessionsAtOnce + 64)
        let settings = [
            ("speech", speech?.rawValue ?? "as cargo"), ("list", lock ?? paths ?? ""), ("token", "\(token != nil)"),
        ]
        let list = FetchList(lock: lock, paths: paths, speech: speech, caFile: caFile)
        try await LoadRun("fetch", options: load, settings: settings).measure(url) { url in
            try await list.maker(url, token)
        }
    }
}
