import ArgumentParser

/// `longshore-bench publish`: publishers, and everybody who waits for what they publish.
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publishes small crates, and measures how long it takes until each edge has them.",
        discussion: """
            A session is one `cargo publish`: config.json and the crate's index file, the upload, and then the index of
            every edge, asked again and again until the version is in it. Its latency ends when the last edge has it.

              longshore-bench publish https://registry.example/main/index/ --token-file token --rate 5 \\
                  --edge eu=https://eu.registry.example --edge us=https://us.registry.example

              answered       from the sending of the upload to its 200
              visible at eu  from the sending of the upload to the edge's first answer that has the version

            Edges are those of --edge, or those that the registry lists; if it lists none, its own index is watched.
            Crates are named bench-…, 50 at most in a run: measure a registry of your own. `visible` publishes
            one version after the other instead, and watches without a pause.
            """)

    @Argument(help: "The repository's index at the origin.") var indexURL: String
    @OptionGroup var publishing: PublishOptions
    @Option(
        help: ArgumentHelp(
            "A token that may publish (and read, if the repository is private).", valueName: "file"))
    var tokenFile: String
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "file")) var caFile: String?
    @OptionGroup var load: LoadOptions

    func validate() throws {
        guard load.compare == nil || publishing.edges.isEmpty else {
            throw ValidationError("--edge belongs to one registry: with --compare edges are those that each lists")
        }
    }

    func run() async throws {
        let (token, publishing, load) = (
            try SecretText.read(tokenFile, flag: "--token-file"), publishing, load
        )
        try OpenFiles.allow(PublishOptions.connectionsMax(load) + 64)
        let settings = [
            ("edges", publishing.edges.isEmpty ? "as listed" : publishing.edges.map(\.name).joined(separator: ",")),
            ("poll", "\(publishing.poll)"),
        ]
        let (target, caFile) = (indexURL, caFile)
        try await Web.with(
            tls: try Trust.configuration(caFile: caFile), connectionsMax: PublishOptions.connectionsMax(load)
        ) { web in
            try await LoadRun("publish", options: load, settings: settings).measure(target) { url in
                try await publishing.maker(url, token: token, web: web)
            }
        }
    }
}

/// What `publish` and `mixed` are told of publishing in the same words.
struct PublishOptions: ParsableArguments {
    @Option(
        name: .customLong("edge"), help: ArgumentHelp("An edge to watch; may be repeated.", valueName: "name=url"))
    var edges: [WatchedEdge] = []
    @Option(help: ArgumentHelp("Between an edge's answer and the next question.", valueName: "time"))
    var poll = Span(.milliseconds(10))

    func validate() throws {
        guard (.milliseconds(1) ... .seconds(10)).contains(poll.duration) else {
            throw ValidationError("--poll takes 1ms to 10s")
        }
    }

    /// To one host.
    static func connectionsMax(_ load: LoadOptions) -> Int { min(2 * load.sessionsAtOnce + 8, 1_024) }

    /// - Throws: `BenchFailure` if the address is no repository's index, or its edges can't be asked for.
    func maker(_ url: String, token: String, web: Web) async throws -> PublishMaker {
        let address = try RepositoryAddress(url)
        // The address is taken as it is given: beside a WAN the origin may be reached under another than its public one.
        let api = String(address.url.dropLast("/index/".count))
        var places = edges.map { ($0.name, "\($0.url)/\(address.repository)/index/") }
        if places.isEmpty {
            let cargoToken = CargoToken(secret: token, place: .file(""))
            places = try await EdgeDirectory.read(address, token: cargoToken, web: web).edges.map {
                ($0.name, "\($0.url)/\(address.repository)/index/")
            }
        }
        if places.isEmpty { places = [("its own index", address.url)] }
        return PublishMaker(
            publisher: Publisher(web: web, api: api, token: token), index: address.url,
            places: places.map { PublishMaker.Place(name: $0.0, index: $0.1) }, poll: poll.duration)
    }
}
