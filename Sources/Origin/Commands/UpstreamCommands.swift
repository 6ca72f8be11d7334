import ArgumentParser
import FoundationEssentials
import Registry

struct UpstreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstream", abstract: "Lets a repository read through to other registries.",
        discussion: """
            Crates that are not published here are looked for in the repository's upstreams, in their order. A name that
            is published here is never asked for, nor is a reserved one.

              longshore-origin upstream add main crates-io sparse+https://index.crates.io/
              longshore-origin upstream add main partner sparse+https://crates.partner.example/main/index/ \\
                --credential-file partner.token
              longshore-origin upstream set main crates-io --exclude 'acme-*' --fresh-seconds 300
              longshore-origin upstream set main partner --position 1
              longshore-origin upstream reserve main 'acme-*'
              longshore-origin upstream list
              longshore-origin upstream show main

            A credential is what goes into the `Authorization` header, for a registry such as this one the bare token. It is
            sealed with the secret of `serve`, never shown again, and sent to the index's own scheme, host and port only; to
            the host of the downloads too, if the upstream says `auth-required` and --also-host names that host.
            """,
        subcommands: [
            Add.self, Set.self, List.self, Show.self, Credential.self, Remove.self, Reserve.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds an upstream behind those that are there, or at --position.")
        @Argument var repository: RepositoryName
        @Argument(help: "a to z, 0 to 9 and `-`.") var name: RepositoryName
        @Argument(help: "Its sparse index, such as sparse+https://index.crates.io/.") var index: String
        @Option(help: "Only names that fit are asked for: a name, or a prefix with `*`. Repeatable.")
        var include: [String] = []
        @Option(help: "Names that fit are not asked for. Repeatable.") var exclude: [String] = []
        @Option(help: "Seconds for which an answer is taken for current.") var freshSeconds = 60
        @Option(help: "A host that its downloads may be redirected to. Repeatable.") var alsoHost: [String] = []
        @Option(help: "A file that holds what it wants to see in `Authorization`; `-`: standard input.")
        var credentialFile: String?
        @Flag(help: "It may be at a loopback, private or link-local address.") var allowPrivate = false
        @Option(help: "Its place among the repository's upstreams: 1 is asked first.") var position: Int?
        @OptionGroup var database: DatabaseOptions

        func validate() throws { _ = try offer() }

        func run() async throws {
            let offer = try offer()
            let credential = try credentialFile.map(UpstreamCredential.init(file:))
            try await database.with { slices, config in
                let repository = try await slices.repositories.require(repository)
                // Before anything is added: a secret that does not fit is told of then.
                let sealed = try await UpstreamCommand.sealed(credential, slices, config)
                try await slices.upstreams.add(offer, sealed, at: position, to: repository, by: .commandLine)
                print("\(repository.name) reads through to \(name)")
                if !allowPrivate, offer.index.address.host.isPrivateByName {
                    CommandOutput.note(
                        "`\(offer.index.address.host)` is no address of the public internet, so it is not asked: if it is "
                            + "meant, say `longshore-origin upstream set \(repository.name) \(name) --allow-private`")
                }
                try await slices.renewLines(of: slices.repositories.require(repository.name))
            }
        }

        private func offer() throws -> UpstreamOffer {
            do {
                return try UpstreamOffer(
                    name: name, index: index, include: include, exclude: exclude, freshSeconds: freshSeconds,
                    privateAllowed: allowPrivate, alsoHosts: alsoHost)
            } catch {
                throw ValidationError(error.detail)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the upstreams of all repositories, and how they stand.")
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let all = try await database.with { slices, _ in try await slices.upstreams.overview(of: nil) }
            if json { return print(try CommandOutput.json(all.map(UpstreamView.init))) }
            let rows = all.map { one in
                [
                    one.repository, one.upstream.name, "\(one.namesKnown)", "\(one.namesAbsent)", "\(one.faults)",
                    one.pausedUntil ?? "-", one.lastFault.map { "\($0.at) \($0.crate): \($0.cause)" } ?? "-",
                ]
            }
            print(
                CommandOutput.table(
                    ["REPOSITORY", "UPSTREAM", "NAMES", "ABSENT", "FAULTS", "PAUSED UNTIL", "LAST FAULT"], rows))
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
                let all = try await slices.upstreams.overview(of: repository)
                print(
                    CommandOutput.table(
                        ["#", "NAME", "INCLUDE", "EXCLUDE", "FRESH", "PRIVATE", "ALSO", "CREDENTIAL", "INDEX"],
                        all.map(UpstreamCommand.row)))
                let reserved = try await slices.upstreams.reserved(in: repository)
                print("reserved: \(UpstreamCommand.text(reserved))")
                for one in all {
                    guard let until = one.pausedUntil else { continue }
                    print("\(one.upstream.name) is not asked until \(until): \(one.pauseCause ?? "")")
                }
                let faults = try await slices.upstreams.faults(of: repository)
                if !faults.isEmpty {
                    let rows = faults.map { [$0.upstream, $0.crate, $0.cause, $0.at] }
                    print(CommandOutput.table(["UPSTREAM", "CRATE", "FAULT", "AT"], rows))
                }
            }
        }
    }

    struct Credential: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replaces what an upstream sees in `Authorization`, or takes it away; it is used at once.")
        @Argument var repository: RepositoryName
        @Argument var name: RepositoryName
        @Option(help: "A file that holds it; `-`: standard input.") var file: String?
        @Flag(help: "From now on it is asked without.") var remove = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard (file == nil) == remove else { throw ValidationError("give either --file FILE or --remove") }
        }

        func run() async throws {
            let credential = try file.map(UpstreamCredential.init(file:))
            try await database.with { slices, config in
                let repository = try await slices.repositories.require(repository)
                let sealed = try await UpstreamCommand.sealed(credential, slices, config)
                try await slices.upstreams.setCredential(sealed, of: name, in: repository, by: .commandLine)
                print("\(name) is asked \(credential == nil ? "without a credential" : "with the new credential")")
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
                try await slices.renewLines(of: slices.repositories.require(repository.name))
            }
        }
    }

    struct Reserve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets the names that no upstream is ever asked for; those set before are replaced.")
        @Argument var repository: RepositoryName
        @Argument(help: "A name, or a prefix with `*`; none: nothing is reserved.") var patterns: [String] = []
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            do { _ = try UpstreamOffer.patterns(patterns) } catch { throw ValidationError(error.detail) }
        }

        func run() async throws {
            let patterns = try UpstreamOffer.patterns(patterns)
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                try await slices.upstreams.reserve(patterns, in: repository, by: .commandLine)
                print("reserved: \(UpstreamCommand.text(patterns))")
            }
        }
    }

    private static func row(_ one: UpstreamOverview) -> [String] {
        let upstream = one.upstream
        return [
            "\(one.position)", upstream.name, text(upstream.filter.include), text(upstream.filter.exclude),
            "\(upstream.freshSeconds) s",
            upstream.privateAllowed ? "yes" : "no", text(upstream.alsoHosts),
            upstream.sealedCredential == nil ? "no" : "yes", upstream.index.description,
        ]
    }

    private static func text(_ values: [some CustomStringConvertible]) -> String {
        values.isEmpty ? "-" : values.map(\.description).joined(separator: ",")
    }

    static func sealed(
        _ credential: UpstreamCredential?, _ slices: OriginSlices, _ config: OriginConfig
    ) async throws -> UpstreamStore.ToSeal? {
        guard let credential else { return nil }
        return .init(credential: credential, seal: try await slices.openedSeal(config))
    }
}

extension UpstreamCredential {
    /// - Parameter path: `-`: standard input, so that a secret's manager needs no file.
    /// - Throws: `ValidationError` for a file that can't be read or holds none.
    init(file path: String) throws {
        let isInput = path == "-"
        guard let text = isInput ? Self.standardInput() : Self.text(of: path) else {
            throw ValidationError("\(path) can't be read; check that it is there, and who owns it")
        }
        guard let credential = UpstreamCredential(text) else {
            let place = isInput ? "standard input" : path
            throw ValidationError("\(place) must hold one line of 1 to \(Self.bytesMax) printable characters")
        }
        self = credential
    }

    private static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: path).map {
            String(decoding: $0.prefix(2 * bytesMax), as: UTF8.self)
        }
    }

    /// To its end, or until it is too long.
    private static func standardInput() -> String {
        var text = ""
        while text.utf8.count <= 2 * bytesMax, let line = readLine(strippingNewline: false) { text += line }
        return text
    }
}
