import ArgumentParser
import Registry

extension UpstreamCommand {
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes settings of an upstream; others stay. It is asked again at once.",
            discussion: """
                A pause, and faults that keep from asking, end with any change. With another index all that the old one said
                is asked again, and served until then. The credential stays only while scheme, host and port of the index do:
                give it again with --credential-file if they change.

                  longshore-origin upstream set main partner --position 1

                The first upstream that has a crate is the one whose versions count. With another order what is held is served
                until the upstream that comes first now has said what it has; it is asked when a crate is next wanted.
                """)
        @Argument var repository: RepositoryName
        @Argument var name: RepositoryName
        @Option(help: "Its sparse index, such as sparse+https://index.crates.io/.") var index: String?
        @Option(help: "Only names that fit are asked for, instead of those before; '*': all. Repeatable.")
        var include: [String] = []
        @Option(help: "Names that fit are not asked for; those set before are. Repeatable.") var exclude: [String] = []
        @Flag(help: "Nothing is excluded any more.") var noExclude = false
        @Option(help: "Seconds for which an answer is taken for current.") var freshSeconds: Int?
        @Option(help: "A host that its downloads may be redirected to, instead of those before. Repeatable.")
        var alsoHost: [String] = []
        @Flag(help: "Its downloads stay at its own host.") var noAlsoHost = false
        @Option(help: "A file that holds what it wants to see in `Authorization`; `-`: standard input.")
        var credentialFile: String?
        @Flag(inversion: .prefixedNo, help: "It may be at a loopback, private or link-local address.")
        var allowPrivate: Bool?
        @Option(help: "Its place among the repository's upstreams: 1 is asked first, the others keep their order.")
        var position: Int?
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            if noExclude && !exclude.isEmpty { throw ValidationError("--exclude and --no-exclude exclude each other") }
            if noAlsoHost && !alsoHost.isEmpty {
                throw ValidationError("--also-host and --no-also-host exclude each other")
            }
            if try change().isEmpty && credentialFile == nil {
                throw ValidationError(
                    "say what to change: --index, --include, --exclude, --fresh-seconds, --also-host, --credential-file, "
                        + "--position …")
            }
        }

        func run() async throws {
            let change = try change()
            let credential = try credentialFile.map(UpstreamCredential.init(file:))
            try await database.with { slices, config in
                let repository = try await slices.repositories.require(repository)
                let sealed = try await UpstreamCommand.sealed(credential, slices, config)
                let losesCredential = try await slices.upstreams.change(
                    name, change, sealed, in: repository, by: .commandLine)
                print("\(name) is changed; see: longshore-origin upstream show \(repository.name)")
                if losesCredential {
                    CommandOutput.note(
                        "its credential was for the host before, and is gone; give it again: "
                            + "longshore-origin upstream credential \(repository.name) \(name) --file FILE")
                }
                try await slices.renewLines(of: slices.repositories.require(repository.name))
            }
        }

        private func change() throws -> UpstreamChange {
            do {
                return try UpstreamChange(
                    index: index, include: include.isEmpty ? nil : include,
                    exclude: exclude.isEmpty && !noExclude ? nil : exclude, freshSeconds: freshSeconds,
                    privateAllowed: allowPrivate, alsoHosts: alsoHost.isEmpty && !noAlsoHost ? nil : alsoHost,
                    position: position)
            } catch {
                throw ValidationError(error.detail)
            }
        }
    }
}
