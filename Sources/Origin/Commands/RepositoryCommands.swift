import ArgumentParser
import Registry

struct RepositoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repository", abstract: "Creates, lists, shows, changes and deletes repositories.",
        discussion: """
            A repository is one Cargo registry: its own index, crates, visibility and grants.

              longshore-origin repository create main
              longshore-origin repository create secret --private
              longshore-origin repository set main --metadata-required true
              longshore-origin repository delete old --yes
            """,
        subcommands: [Create.self, List.self, Show.self, Set.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Creates a repository.")
        @Argument(help: "a to z, 0 to 9 and `-`; stands in every address.") var name: RepositoryName
        @OptionGroup var settings: RepositoryOptions
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let settings = try settings.value.checked()
                let made = try await slices.repositories.create(name, settings, by: .commandLine)
                print(RepositoryView(made, config.addresses).text)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists all repositories.")
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let views = try await slices.repositories.list().repositories.map {
                    RepositoryView($0, config.addresses)
                }
                if json { return print(try CommandOutput.json(views)) }
                let rows = views.map { [$0.name, $0.isPrivate ? "private" : "public", $0.offline.rawValue, $0.index] }
                print(CommandOutput.table(["NAME", "VISIBILITY", "OFFLINE", "INDEX"], rows))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one repository.")
        @Argument var name: RepositoryName
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let view = RepositoryView(try await slices.repositories.require(name), config.addresses)
                print(json ? try CommandOutput.json(view) : view.text)
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Changes settings of a repository; others stay.")
        @Argument var name: RepositoryName
        @OptionGroup var settings: RepositoryOptions
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            if settings.value.isEmpty {
                throw ValidationError(
                    "say what to change: --private, --public, --offline, --metadata-required, --rewrite-crates-io …")
            }
        }

        func run() async throws {
            try await database.with { slices, config in
                let settings = try settings.value.checked()
                let changed = try await slices.repositories.update(name, settings, by: .commandLine)
                print(RepositoryView(changed, config.addresses).text)
                try await slices.renewLines(of: changed)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a repository with all its crates and versions, for good.")
        @Argument var name: RepositoryName
        @Flag(help: "Yes, delete it.") var yes = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            if !yes {
                throw ValidationError("this deletes `\(name)` with all its crates for good; repeat it with --yes")
            }
        }

        func run() async throws {
            try await database.with { slices, _ in
                try await slices.repositories.delete(name, by: .commandLine)
                print("deleted \(name)")
            }
        }
    }
}

struct RepositoryOptions: ParsableArguments {
    @Flag(name: .customLong("private"), help: "Reads need a token.") var isPrivate = false
    @Flag(name: .customLong("public"), help: "Anyone who reaches the registry may read.") var isPublic = false
    @Option(help: "What an edge does while it is cut off: serve-stale or refuse.") var offline: Repository.Offline?
    @Option(help: "How long an edge may serve stale content, in seconds.") var offlineSecondsMax: Int?
    @Option(help: "true: a publish needs a description and a licence.") var metadataRequired: Bool?
    @Option(
        name: .customLong("rewrite-crates-io"),
        help: "Dependencies of own crates on crates.io stay inside: on, off, or auto: if an upstream is crates.io.")
    var cratesIO: CratesIORewriting?

    func validate() throws {
        if isPrivate && isPublic { throw ValidationError("--private and --public exclude each other") }
    }

    var value: RepositorySettings {
        RepositorySettings(
            isPrivate: isPrivate ? true : isPublic ? false : nil, offline: offline,
            offlineSecondsMax: offlineSecondsMax, metadataRequired: metadataRequired, cratesIO: cratesIO)
    }
}

extension RepositoryView {
    fileprivate var text: String {
        """
        name               \(name)
        visibility         \(isPrivate ? "private" : "public")
        index              \(index)
        offline            \(offline.rawValue), at most \(offlineSecondsMax) s
        metadata required  \(metadataRequired ? "yes" : "no")
        rewrite crates.io  \(cratesIO.rawValue)\(cratesIO == .auto ? " (\(rewritesCratesIO ? "on" : "off"))" : "")
        """
    }
}

extension OriginSlices {
    /// Makes lines follow the repository's rule for crates.io, and says how many crates it changed.
    func renewLines(of repository: Repository) async throws {
        let changed = try await lineRenewal.renew(repository)
        if changed > 0 {
            let word = repository.rewritesCratesIO ? "inside" : "outside"
            CommandOutput.note("dependencies on crates.io lead \(word) now: \(Amount.of(changed, "crate")) changed")
        }
    }
}

extension Repository.Offline: ExpressibleByArgument {}

extension CratesIORewriting: ExpressibleByArgument {}

extension RepositoryName: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(argument) }
}
