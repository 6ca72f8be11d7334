import ArgumentParser
import Registry
import Signing

struct LinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "url", abstract: "Prints a signed URL under which an edge gives one file to whoever has it.",
        discussion: """
              longshore-origin url main serde 1.0.217
              longshore-origin url secret keel 0.3.0 --edge eu --life 30m

            The URL alone goes to standard output. It works without a token, for a private repository too, until its life
            ends or its key is retired (`longshore-origin key retire`).
            """)

    @Argument(help: "The repository.") var repository: RepositoryName
    @Argument(help: "The crate, spelled as in the index.") var crate: String
    @Argument(help: "The version, with build metadata if it has any.") var version: String
    @Option(help: "The edge that is to serve it. Unset: one that is connected.") var edge: String?
    @Option(help: "How long it works: 90s, 5m, 1h; an hour at most. Unset: 5m.") var life: Lifetime?
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        if let life, life.seconds > URLClaims.lifeMax {
            throw ValidationError("--life takes an hour at most: edges refuse URLs that end later")
        }
    }

    func run() async throws {
        try await database.with { slices, config in
            let file = try await file(slices)
            let links = slices.links(
                try SigningSecret.find(config), try ClientRegions(nil), logger: DatabaseOptions.logger
            ) { _ in }
            let place = try await place(links, file)
            let life = life?.seconds ?? URLClaims.lifeUsual
            let made = try await links.share(file, from: place, life: life)
            try await slices.signingKeys.noteShare(file, edge: place.audience, life: life, by: .commandLine)
            CommandOutput.note("good for \(life) seconds, from \(place.audience == "*" ? "any edge" : place.audience):")
            // Edges hear of the very first key through the feed, from an origin that this process does not hold.
            if made.isFirst { try await Task.sleep(for: .seconds(1)) }
            print(made.url)
        }
    }

    private func file(_ slices: OriginSlices) async throws -> DownloadLinks.File {
        let (name, number): (CrateName, Version)
        do {
            (name, number) = (try CrateName(crate), try Version(version))
        } catch {
            throw ValidationError("\(error)")
        }
        let home = try await slices.repositories.require(repository)
        guard let found = try await slices.crates.find(name, number, nil, in: home).found else {
            throw Refusal.notFound(
                "repository `\(repository)` has no crate `\(name.spelling)` \(number), spelled exactly so")
        }
        return DownloadLinks.File(
            repository: home, path: CratePath(name: name, version: number, checksum: found.checksum))
    }

    /// - Throws: if there is no such edge, or none at all, that clients can reach.
    private func place(_ links: DownloadLinks, _ file: DownloadLinks.File) async throws -> NearestEdge {
        // Who asks on this machine can reach an edge on it.
        if let place = NearestEdge(
            among: try await links.places(), only: edge, clientRegion: nil, isClientLocal: true,
            for: file.path.checksum)
        {
            return place
        }
        guard let edge else {
            throw Refusal.notFound("no edge is connected that could serve it; `longshore-origin edge list` shows them")
        }
        throw Refusal.notFound(
            "edge `\(edge)` is not connected, revoked, or unknown; `longshore-origin edge list` shows them all")
    }
}
