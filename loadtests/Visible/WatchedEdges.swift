import ArgumentParser

/// `NAME=URL`: an edge to watch, reached from where this program runs.
struct WatchedEdge: ExpressibleByArgument, Hashable, Sendable {
    let name: String
    let url: String

    init(name: String, url: String) { (self.name, self.url) = (name, url) }

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let base = WebBase(parts[1]) else { return nil }
        self.init(name: parts[0], url: base.url)
    }
}

/// What `visible` and `cut` are told in the same words.
struct WatchOptions: ParsableArguments {
    @Argument(help: "The repository's index at the origin.") var indexURL: String
    @Option(help: ArgumentHelp("A token that may publish (and read, if the repository is private).", valueName: "path"))
    var tokenFile: String
    @Flag(help: "Prints JSON.") var json = false
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "path")) var caFile: String?

    /// Runs `body` with the repository's publisher, a client, and the edges: those given, else those that the origin lists.
    func with<Answer: Sendable>(
        _ given: [WatchedEdge], _ body: (WatchScene) async throws -> Answer
    ) async throws -> Answer {
        let address = try RepositoryAddress(indexURL)
        let secret = try SecretText.read(tokenFile, flag: "--token-file")
        return try await Web.with(tls: try Trust.configuration(caFile: caFile), connectionsMax: 64) { web in
            // The address is taken as it is given: beside a WAN the origin may be reached under another than its public one.
            let api = String(address.url.dropLast("/index/".count))
            let publisher = Publisher(web: web, api: api, token: secret)
            var edges = given
            if edges.isEmpty {
                let token = CargoToken(secret: secret, place: .file(tokenFile))
                edges = try await EdgeDirectory.read(address, token: token, web: web).edges.map {
                    WatchedEdge(name: $0.name, url: $0.url)
                }
            }
            guard !edges.isEmpty else {
                throw BenchFailure("this registry lists no edges: name them with --edge NAME=URL")
            }
            return try await body(WatchScene(address: address, publisher: publisher, edges: edges))
        }
    }
}

/// A repository, a way to change it, and the edges on which the change is to be seen.
struct WatchScene: Sendable {
    let address: RepositoryAddress
    let publisher: Publisher
    let edges: [WatchedEdge]

    func watch(_ edge: WatchedEdge, _ crate: String) throws -> IndexWatch {
        try IndexWatch(
            base: "\(edge.url)/\(address.repository)/index/", crate: crate, web: publisher.web, token: publisher.token)
    }
}
