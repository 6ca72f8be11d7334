import ArgumentParser
import Facts
import Registry

/// What policies judge a version by.
struct FactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "facts", abstract: "Prints everything that is known of a version, as policies get it.",
        discussion: """
              longshore-origin facts main smallvec@1.6.0

            JSON; what is not known is null. The keys are explained in docs/FACTS.md.
            """)
    @Argument var repository: RepositoryName
    @Argument(help: CrateAtVersion.help) var version: CrateAtVersion
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let (name, number) = (version.name, version.version)
        try await database.with { slices, _ in
            let repository = try await slices.repositories.require(repository)
            guard let facts = try await slices.facts.facts(of: number, name, in: repository.name) else {
                throw Refusal.notFound("repository `\(repository.name)` has no `\(name.spelling)` \(number)")
            }
            print(try CommandOutput.json(facts))
        }
    }
}
