import ArgumentParser
import Registry

struct UpstreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstream", abstract: "Lets a repository read through to other registries.",
        discussion: """
            Crates that are not published here are looked for in the repository's upstreams, in their order. A name that
            is published here is never asked for, nor is a reserved one.

              longshore-origin upstream add main crates-io sparse+https://index.crates.io/
              longshore-origin upstream reserve main 'acme-*'
              longshore-origin upstream show main
            """,
        subcommands: [Add.self, Show.self, Remove.self, Reserve.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Adds an upstream behind those that are there.")
        @Argument var repository: RepositoryName
        @Argument(help: "a to z, 0 to 9 and `-`.") var name: RepositoryName
        @Argument(help: "Its sparse index, such as sparse+https://index.crates.io/.") var index: String
        @Option(help: "Only names that fit are asked for: a name, or a prefix with `*`. Repeatable.")
        var include: [String] = []
        @Option(help: "Names that fit are not asked for. Repeatable.") var exclude: [String] = []
        @Option(help: "Seconds for which an answer is taken for current.") var freshSeconds = 60
        @Flag(help: "It may be at a loopback, private or link-local address.") var allowPrivate = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard UpstreamIndex(index) != nil else {
                throw ValidationError("`\(index)` is no address of a sparse index (sparse+https://…)")
            }
            guard (1...86_400).contains(freshSeconds) else {
                throw ValidationError("--fresh-seconds must be from 1 to 86400")
            }
            _ = try UpstreamPatterns.read(include + exclude)
        }

        func run() async throws {
            guard let index = UpstreamIndex(index) else { preconditionFailure("validated") }
            let includes = try include.isEmpty ? [.everything] : UpstreamPatterns.read(include)
            let filter = UpstreamFilter(include: includes, exclude: try UpstreamPatterns.read(exclude))
            let offer = UpstreamStore.Offer(
                name: name, index: index, filter: filter, freshSeconds: freshSeconds, privateAllowed: allowPrivate)
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                try await slices.upstreams.add(offer, to: repository, by: .commandLine)
                print("\(repository.name) reads through to \(name)")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a repository's upstreams in their order, and their last faults.")
        @Argument var repository: RepositoryName
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                let rows = try await slices.upstreams.list(of: repository).map { upstream in
                    [
                        upstream.name, UpstreamPatterns.text(upstream.filter.include),
                        UpstreamPatterns.text(upstream.filter.exclude), "\(upstream.freshSeconds) s",
                        upstream.privateAllowed ? "yes" : "no", upstream.index.description,
                    ]
                }
                print(CommandOutput.table(["NAME", "INCLUDE", "EXCLUDE", "FRESH", "PRIVATE", "INDEX"], rows))
                let reserved = try await slices.upstreams.reserved(in: repository)
                print("reserved: \(UpstreamPatterns.text(reserved))")
                let faults = try await slices.upstreams.faults(of: repository)
                if !faults.isEmpty { print(CommandOutput.table(["UPSTREAM", "CRATE", "FAULT", "AT"], faults)) }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes an upstream; versions that came from it stay.")
        @Argument var repository: RepositoryName
        @Argument var name: RepositoryName
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                try await slices.upstreams.remove(name, from: repository, by: .commandLine)
                print("\(repository.name) no longer reads through to \(name)")
            }
        }
    }

    struct Reserve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets the names that no upstream is ever asked for; those set before are replaced.")
        @Argument var repository: RepositoryName
        @Argument(help: "A name, or a prefix with `*`; none: nothing is reserved.") var patterns: [String] = []
        @OptionGroup var database: DatabaseOptions

        func validate() throws { _ = try UpstreamPatterns.read(patterns) }

        func run() async throws {
            let patterns = try UpstreamPatterns.read(patterns)
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                try await slices.upstreams.reserve(patterns, in: repository, by: .commandLine)
                print("reserved: \(UpstreamPatterns.text(patterns))")
            }
        }
    }
}

private enum UpstreamPatterns {
    static func read(_ texts: [String]) throws -> [CratePattern] {
        try texts.map { text in
            guard let pattern = CratePattern(text) else {
                throw ValidationError("`\(text)` is no crate pattern: write a name, or a prefix with a final `*`")
            }
            return pattern
        }
    }

    static func text(_ patterns: [CratePattern]) -> String {
        patterns.isEmpty ? "-" : patterns.map(\.description).joined(separator: ",")
    }
}
