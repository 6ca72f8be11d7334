import ArgumentParser
import FoundationEssentials
import NIOSSL

/// `longshore-bench nearest`: which edge is the closest healthy one, and cargo's way there.
struct NearestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nearest",
        abstract: "Measures the edges of a repository and sends cargo's reads to the nearest healthy one.",
        discussion: """
            Asks the origin which edges there are, and each edge for config.json over
            fresh connections.

              longshore-bench nearest sparse+https://registry.example/main/index/
              longshore-bench nearest sparse+https://registry.example/main/index/ --write

            --write adds source replacement to cargo's configuration: index files and
            crates come from the edge, while Cargo.lock, manifests and publishing keep
            the registry's own address. Run it again after a move: the old choice is
            replaced. --remove gives the file back as it was.

            A private repository needs a token: --token-file, else
            CARGO_REGISTRIES_NAME_TOKEN, else what `cargo login --registry NAME` kept.
            NAME is --registry, or what the configuration calls this index.

            Exit codes: 0; 1 if no edge is healthy or something failed, and then
            nothing was written; 64 for a wrong command line.
            """)

    @Argument(help: "The repository's index, as it stands in cargo's configuration.") var indexURL: String
    @Flag(help: "Writes the choice into cargo's configuration.") var write = false
    @Flag(help: "Takes out what --write wrote; measures nothing.") var remove = false
    @Option(help: "Fresh connections to each edge, 1 to 100; the median counts.") var tries = 5
    @Flag(help: "Prints JSON.") var json = false
    @Flag(
        name: .customLong("crates-io"),
        help: "With --write: the edge also stands in for crates.io, for a repository that mirrors it.")
    var cratesIO = false
    @Option(help: ArgumentHelp("A file that holds the token.", valueName: "path")) var tokenFile: String?
    @Option(help: ArgumentHelp("Cargo's file; default: config.toml in CARGO_HOME.", valueName: "path"))
    var config: String?
    @Option(help: ArgumentHelp("The registry's name in cargo's configuration.", valueName: "name"))
    var registry: String?
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "path")) var caFile: String?

    func validate() throws {
        guard !(write && remove) else { throw ValidationError("--write and --remove exclude each other") }
        guard (1...100).contains(tries) else { throw ValidationError("--tries takes a number from 1 to 100") }
        guard write || !cratesIO else { throw ValidationError("--crates-io goes with --write") }
        if let registry, !SourceReplacement.isName(registry) {
            throw ValidationError("--registry takes letters, digits, `-` and `_`, 64 at most")
        }
    }

    func run() async throws {
        let address = try RepositoryAddress(indexURL)
        let environment = ProcessInfo.processInfo.environment
        let home = try CargoFile.home(environment)
        let file = try CargoFile(config, home: home)
        if remove { return try removeBlock(address, file) }

        let present = try file.read()
        let name = try registry ?? named(file) { try present?.registryName(of: address) } ?? "\(address.repository)"
        let token = try CargoToken.find(file: tokenFile, registry: name, home: home, environment: environment)
        let report = try await measure(address, token)
        print(json ? try Console.json(report.shape) : report.table)
        guard let nearest = report.nearest else {
            throw BenchFailure("no edge is healthy, so nothing is chosen; the last column says why")
        }
        if !json { print("\nnearest: \(nearest.edge.name) (\(nearest.edge.url))") }
        if write { try writeBlock(nearest.edge, report.directory, name, token, file, present) }
    }

    private func measure(_ address: RepositoryAddress, _ token: CargoToken?) async throws -> NearestReport {
        let tls = try Trust.configuration(caFile: caFile)
        let directory = try await Web.with(tls: tls) { web in
            try await EdgeDirectory.read(address, token: token, web: web)
        }
        guard !directory.edges.isEmpty else {
            throw BenchFailure("this registry has no edges: there is nothing to choose; cargo reads from the origin")
        }
        let prober = try Prober(tls: tls)
        Console.note("measuring \(directory.edges.count) edges, \(tries) connections each")
        return NearestReport(
            directory, await Self.standings(directory, tries: tries, token: token?.secret, prober))
    }

    /// A few edges at once: many would get in each other's way and look slow.
    private static func standings(
        _ directory: EdgeDirectory, tries: Int, token: String?, _ prober: Prober
    ) async -> [EdgeStanding] {
        await withTaskGroup(of: EdgeStanding.self) { group in
            var standings: [EdgeStanding] = []
            for (number, edge) in directory.edges.enumerated() {
                if number >= 4, let done = await group.next() { standings.append(done) }
                group.addTask { await standing(edge, directory, tries: tries, token: token, prober) }
            }
            for await done in group { standings.append(done) }
            return standings
        }
    }

    private static func standing(
        _ edge: EdgeDirectory.Edge, _ directory: EdgeDirectory, tries: Int, token: String?, _ prober: Prober
    ) async -> EdgeStanding {
        guard EdgeStanding.refusal(edge, directory) == nil, let base = WebBase(edge.url) else {
            return EdgeStanding(edge, tries: [], directory: directory)
        }
        let path = "/\(directory.address.repository)/index/config.json"
        var results: [Result<(ProbeTimes, ProbeAnswer), BenchFailure>] = []
        for _ in 0..<tries {
            results.append(await prober.ask(base, path: path, token: directory.isPrivate ? token : nil))
            // An edge that takes no connection will not take the next one either.
            if results.count == 1, case .failure = results[0] { break }
        }
        return EdgeStanding(edge, tries: results, directory: directory)
    }

    private func writeBlock(
        _ edge: EdgeDirectory.Edge, _ directory: EdgeDirectory, _ name: String, _ token: CargoToken?,
        _ file: CargoFile, _ present: CargoConfiguration?
    ) throws {
        guard let base = WebBase(edge.url) else { throw BenchFailure("`\(edge.url)` is no plain URL") }
        let replacement = SourceReplacement(
            address: directory.address, registry: name, edgeName: edge.name, edgeURL: base.url,
            provider: directory.isPrivate ? token?.provider : nil, replacesCratesIO: cratesIO)
        let text = try named(file) {
            try (present ?? CargoConfiguration(text: "")).writing(replacement, isNewFile: present == nil)
        }
        if text != present?.text { try file.write(text) }
        Console.note("\(file.path): cargo reads \(directory.address) through \(edge.name) now")
        if directory.isPrivate, token?.place == .credentials {
            Console.note(
                "one more step, once: `cargo login --registry \(replacement.nearestRegistry)` with the same token")
        }
    }

    private func removeBlock(_ address: RepositoryAddress, _ file: CargoFile) throws {
        guard let present = try file.read() else {
            throw BenchFailure("\(file.path) does not exist: nothing to remove")
        }
        if let rest = try named(file, { try present.removing(address) }) {
            try file.write(rest)
        } else {
            try file.delete()
        }
        Console.note("\(file.path): cargo reads \(address) under its own address again")
    }

    /// Errors of the pure part know no path.
    private func named<Answer>(_ file: CargoFile, _ body: () throws -> Answer) throws -> Answer {
        do { return try body() } catch let failure as BenchFailure {
            throw BenchFailure("\(file.path): \(failure.description)")
        }
    }
}
