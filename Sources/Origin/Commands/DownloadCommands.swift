import ArgumentParser
import Hosting
import Registry

/// How often what was read, at all edges and the origin together.
struct DownloadsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "downloads", abstract: "Tells how often crates were downloaded, in all and by day.",
        discussion: """
              longshore-origin downloads main              every crate that was ever read
              longshore-origin downloads main tidewater    its versions, day by day

            An edge tells the origin what it served within seconds, or once it reaches it again.
            """)
    @Argument var repository: String
    @Argument var crate: String?
    @Option(help: "How many of the last days are told one by one.") var days = 30
    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        guard (1...DownloadRoutes.daysMax).contains(days) else {
            throw ValidationError("--days takes a number from 1 to \(DownloadRoutes.daysMax)")
        }
    }

    func run() async throws {
        try await database.with { slices, _ in
            let repository = try await slices.repositories.require(RepositoryName(repository))
            guard let crate else { return print(try overview(try await slices.reads.sums(in: repository.name))) }
            let name = try CrateName(crate)
            guard let reads = try await slices.reads.reads(of: name, in: repository, days: days) else {
                throw Refusal.notFound("repository `\(repository.name)` has no crate `\(name.spelling)`")
            }
            print(try detail(reads))
        }
    }

    private func overview(_ sums: [ReadStore.Sum]) throws -> String {
        if json { return try CommandOutput.json(sums) }
        return CommandOutput.table(
            ["CRATE", "DOWNLOADS", "INDEX READS"], sums.map { [$0.crate, "\($0.downloads)", "\($0.indexReads)"] })
    }

    private func detail(_ reads: ReadStore.CrateReads) throws -> String {
        if json { return try CommandOutput.json(reads) }
        let rows = reads.versions.flatMap { version in
            [[version.version, "all", "\(version.total)"]]
                + version.days.sorted { $0.key > $1.key }.map { [version.version, $0.key, "\($0.value)"] }
        }
        return CommandOutput.table(["VERSION", "DAY", "DOWNLOADS"], rows)
    }
}

/// Who downloaded what: the trail that audits ask for.
struct PullsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pulls", abstract: "Tells who downloaded what, where and when; the latest first.",
        discussion: """
              longshore-origin pulls --repository main --crate tidewater
              longshore-origin pulls --token 3 --json

            Kept for `pull-days` (90 unless set).
            """)
    @Option(help: "Only from this repository.") var repository: String?
    @Option(help: "Only of this crate.") var crate: String?
    @Option(help: "Only of this version of the crate.") var version: String?
    @Option(help: "Only by the token of this id, as in `token list`.") var token: Int64?
    @Option(help: "Only through the edge of this name.") var edge: String?
    @Option(help: "Only what stands after the one of this id in the list.") var before: Int64?
    @Option(help: "How many, at most \(ReadStore.PullFilter.limitMax).") var limit = 50
    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        guard (1...ReadStore.PullFilter.limitMax).contains(limit) else {
            throw ValidationError("--limit takes a number from 1 to \(ReadStore.PullFilter.limitMax)")
        }
        guard version == nil || crate != nil else { throw ValidationError("--version goes with --crate") }
    }

    func run() async throws {
        let filter = ReadStore.PullFilter(
            repository: repository, crate: try crate.map { try CrateName($0) }, version: version, token: token,
            edge: edge, before: before, limit: limit)
        try await database.with { slices, _ in
            let pulls = try await slices.reads.pulls(filter)
            if json { return print(try CommandOutput.json(pulls)) }
            let rows = pulls.map { pull in
                [
                    "\(pull.id)", pull.at, pull.repository, pull.crate, pull.version, reader(pull),
                    pull.edge ?? "(origin)", pull.address ?? "-", Amount.bytes(pull.bytes),
                ]
            }
            print(
                CommandOutput.table(
                    ["ID", "TIME", "REPOSITORY", "CRATE", "VERSION", "READER", "EDGE", "FROM", "SIZE"], rows))
        }
    }

    private func reader(_ pull: ReadStore.Pull) -> String {
        guard let token = pull.token else { return "-" }
        return "\(pull.login ?? "unknown") (token \(token))"
    }
}
