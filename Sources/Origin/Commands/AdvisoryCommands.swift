import ArgumentParser
import Facts
import Registry

/// Known vulnerabilities and other warnings about crates.
struct AdvisoriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advisories", abstract: "Takes over a database of security advisories, and tells what is in it.",
        discussion: """
            The database is RustSec's, as Markdown or as OSV:

              longshore-origin advisories sync https://github.com/RustSec/advisory-db/archive/refs/heads/main.tar.gz
              longshore-origin advisories sync ./advisory-db
              longshore-origin advisories list --crate smallvec
              longshore-origin advisories show RUSTSEC-2021-0003
            """,
        subcommands: [Sync.self, List.self, Show.self])

    struct Sync: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a folder, an archive, a URL or a git repository, and judges again whatever it touches.")
        @Argument(help: "A folder, a .tar or .tar.gz, https://… of one, or git+https://….") var source: String
        @Option(help: "The name of the database: what an earlier one of this name had and it has not is removed.")
        var name = "rustsec"
        @Flag(help: "Takes it even if more than a tenth of the advisories is gone.") var mayShrink = false
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                guard let read = try await AdvisoryReader(AdvisorySource(source)).read() else { return }
                for problem in read.problems { CommandOutput.note("passed over \(problem)") }
                let outcome = try await slices.advisorySync.sync(
                    read, name: name, mayShrink: mayShrink, by: .commandLine)
                if json { return print(try CommandOutput.json(outcome)) }
                print(
                    "\(read.advisories.count) advisories: \(outcome.added) new, \(outcome.changed) changed, "
                        + "\(outcome.removed) removed; the facts of \(outcome.versions) versions changed")
                if read.problemCount > 0 { throw ExitCode(1) }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists advisories, the newest first.")
        @Option(help: "Only those of this crate.") var crate: String?
        @Option(help: "How many, at most 10000.") var limit = 50
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard (1...10_000).contains(limit) else {
                throw ValidationError("--limit takes a number from 1 to 10000")
            }
        }

        func run() async throws {
            let identity = try crate.map { try CrateName($0).identity }
            try await database.with { slices, _ in
                let advisories = try await slices.facts.advisories.list(identity: identity, limit: limit)
                if json { return print(try CommandOutput.json(advisories.map(\.match))) }
                let rows = advisories.map { advisory in
                    [advisory.id, advisory.package, advisory.kind.rawValue, advisory.rating, advisory.title]
                }
                print(CommandOutput.table(["ID", "CRATE", "KIND", "SCORE", "TITLE"], rows))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one advisory and how many versions it holds for.")
        @Argument(help: "Its id, or one of its aliases, like CVE-2021-25900.") var id: String
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                guard let advisory = try await slices.facts.advisories.find(id) else {
                    throw Refusal.notFound("there is no advisory `\(id)`; `advisories sync` brings the newest ones")
                }
                if json { return print(try CommandOutput.json(advisory)) }
                print(advisory.text(reach: try await slices.facts.advisories.reach(of: advisory.id)))
            }
        }
    }
}

extension Advisory {
    /// `9.8 critical`, `unscored`; what was withdrawn says so instead.
    fileprivate var rating: String {
        if withdrawn != nil { return "withdrawn" }
        return score.map { "\($0) \($0.severity.rawValue)" } ?? AdvisoryMatch.unscored
    }

    fileprivate func text(reach: [(repository: String, versions: Int)]) -> String {
        let intervals = affected.map { interval in
            switch (interval.introduced, interval.fixed) {
            case (nil, nil): "all"
            case (nil, let fixed?): "< \(fixed)"
            case (let introduced?, nil): ">= \(introduced)"
            case (let introduced?, let fixed?): ">= \(introduced), < \(fixed)"
            }
        }
        let lines: [(String, String)] = [
            ("crate", package), ("kind", kind.rawValue), ("score", rating), ("vector", vector ?? ""),
            ("published", published), ("withdrawn", withdrawn ?? ""), ("aliases", aliases.joined(separator: ", ")),
            ("affected", intervals.isEmpty ? "none" : intervals.joined(separator: " or ")),
            ("functions", functions.joined(separator: ", ")), ("systems", systems.joined(separator: ", ")),
            ("processors", architectures.joined(separator: ", ")),
            ("holds for", reach.map { "\($0.versions) versions in \($0.repository)" }.joined(separator: ", ")),
        ]
        let head = lines.filter { !$0.1.isEmpty }.map { name, value in
            name + String(repeating: " ", count: 12 - name.count) + value
        }
        return "\(id): \(title)\n\n" + head.joined(separator: "\n") + "\n\n" + details
    }
}
