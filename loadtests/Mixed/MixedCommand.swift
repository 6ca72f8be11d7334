import ArgumentParser

/// `longshore-bench mixed`: the users of a registry, all at once.
struct MixedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixed",
        abstract: "Resolves, downloads and publishes at once, in the shares that a registry's users have.",
        discussion: """
            Each session is drawn by --share: resolve-cold, resolve-warm, resolve-locked, fetch, publish. Weights need
            no sum. What the kinds do is in the help of `resolve`, `fetch` and `publish`; each has rows of its own.

              longshore-bench mixed https://eu.registry.example/main/index/ --apps apps.json --rate 20 \\
                  --share resolve-warm=60 --share resolve-cold=15 --share fetch=20 --fetch-lock Cargo.lock \\
                  --share publish=5 --token-file token --origin https://registry.example/main/index/

            publish wants --token-file, and --origin unless the address is the origin's own.
            """)

    @Argument(help: "The index: where config.json lies.") var indexURL: String
    @Option(
        name: .customLong("share"),
        help: ArgumentHelp(
            "How many of all sessions are resolve-cold, resolve-warm, resolve-locked, fetch or publish; a weight above 0; may be "
                + "repeated.", valueName: "kind=weight"))
    var shares: [Share] = []
    @OptionGroup var things: ResolvedThings
    @Option(help: ArgumentHelp("fetch: the crates of this Cargo.lock.", valueName: "file")) var fetchLock: String?
    @Option(help: ArgumentHelp("fetch: a path a line below the address.", valueName: "file")) var fetchPaths: String?
    @Option(help: ArgumentHelp("publish: the repository's index at its origin.", valueName: "url")) var origin: String?
    @OptionGroup var publishing: PublishOptions
    @Option(help: WireTarget.Speech.help) var speech: WireTarget.Speech?
    @Option(help: ArgumentHelp("A token for a private repository, and to publish.", valueName: "file"))
    var tokenFile: String?
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "file")) var caFile: String?
    @OptionGroup var load: LoadOptions

    func validate() throws {
        let kinds = shares.map(\.kind)
        guard !kinds.isEmpty, Set(kinds).count == kinds.count else {
            throw ValidationError("give --share once for each kind of session, one at least")
        }
        if kinds.contains(where: { $0.home != nil }) { try things.checkGiven() }
        if kinds.contains(.fetch), (fetchLock == nil) == (fetchPaths == nil) {
            throw ValidationError("fetch wants one of --fetch-lock and --fetch-paths")
        }
        guard kinds.contains(.publish) else { return }
        guard tokenFile != nil else { throw ValidationError("publish wants --token-file") }
        guard load.compare == nil || (publishing.edges.isEmpty && origin == nil) else {
            throw ValidationError("--edge and --origin belong to one registry: leave them out with --compare")
        }
    }

    func run() async throws {
        let token = try tokenFile.map { path throws(BenchFailure) in
            try SecretText.read(path, flag: "--token-file")
        }
        try OpenFiles.allow(2 * load.sessionsAtOnce + PublishOptions.connectionsMax(load) + 64)
        let applications = shares.contains { $0.kind.home != nil } ? try things.applications() : []
        let library = IndexLibrary()
        let settings = [
            ("shares", shares.map { "\($0.kind.rawValue)=\(Shown.significant($0.weight))" }.joined(separator: " ")),
            ("resolved", things.shown), ("fetched", fetchLock ?? fetchPaths ?? ""),
            ("speech", speech?.rawValue ?? "as cargo"),
            ("token", "\(token != nil)"),
        ]
        let command = self
        try await Web.with(
            tls: try Trust.configuration(caFile: caFile), connectionsMax: PublishOptions.connectionsMax(load)
        ) { web in
            try await LoadRun("mixed", options: command.load, settings: settings).measure(command.indexURL) { url in
                var makers: [(share: Share, maker: any SessionMaker)] = []
                for share in command.shares {
                    let maker = try await command.maker(share.kind, url, token, applications, library, web)
                    makers.append((share: share, maker: maker))
                }
                return MixedMaker(makers)
            }
        }
    }

    private func maker(
        _ kind: Share.Kind, _ url: String, _ token: String?, _ applications: [Application], _ library: IndexLibrary,
        _ web: Web
    ) async throws -> any SessionMaker {
        switch kind {
        case .resolveCold, .resolveWarm, .resolveLocked:
            let maker = ResolveMaker(
                place: try RegistryPlace(url, speech, token: token, caFile: caFile),
                home: CargoHome(kind.home ?? .cold), library: library, applications: applications)
            if kind == .resolveWarm { try await maker.learn() }
            return maker
        case .fetch:
            return try await FetchList(lock: fetchLock, paths: fetchPaths, speech: speech, caFile: caFile)
                .maker(url, token)
        case .publish: return try await publishing.maker(origin ?? url, token: token ?? "", web: web)
        }
    }
}
