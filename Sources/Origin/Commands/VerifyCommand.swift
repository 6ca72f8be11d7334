import ArgumentParser
import Registry
import Synchronization

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Holds the database against the stored files; the exit code tells.",
        discussion: """
            Every version's file must be there with the right size and SHA-256, every index line readable and in
            agreement with its row, every index file's checksum right, the feed without gaps. It changes nothing and may
            run beside `serve`. Files that no version names are counted; they are harmless.

              longshore-origin verify
              longshore-origin verify --repository main --quick

            Exit code: 0 all is well, 1 there is a problem (one line each).
            """)

    /// More are counted, but not listed in JSON.
    private static let listedMax = 10_000

    @Option(help: "Only this repository.") var repository: RepositoryName?
    @Flag(help: "Looks at the existence and size of files only; does not read them.") var quick = false
    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let meter = ProgressMeter()
        let problems = ProblemList(max: Self.listedMax)
        let isJSON = json
        let report = VerifyReport { problem in
            if isJSON { problems.add(problem) } else { meter.note("problem: \(problem.description)") }
        }
        try await verify(report, meter)
        let tally = report.current
        if json {
            print(try CommandOutput.json(Answer(summary: tally, problems: problems.all)))
        } else {
            print(tally.summary(seconds: meter.seconds))
        }
        if tally.problems > 0 { throw ExitCode(1) }
    }

    private struct Answer: Encodable {
        let summary: VerifyTally
        let problems: [VerifyProblem]
    }

    private func verify(_ report: VerifyReport, _ meter: ProgressMeter) async throws {
        try await database.with { slices, config in
            let repositories: [Repository] =
                if let repository { [try await slices.repositories.require(repository)] } else {
                    try await slices.repositories.list().repositories
                }
            let blobs = try await DiskBlobs(folder: config.dataFolder + "/blobs", logger: DatabaseOptions.logger)
            let store = StoredCrates(pool: slices.pool)
            var total = 0
            for repository in repositories { total += try await store.count(in: repository) }
            let verifier = Verifier(pool: slices.pool, blobs: blobs, isQuick: quick, report: report)
            try await meter.showing(
                { [total] in
                    let tally = report.current
                    return ProgressState(
                        done: tally.versions, total: total, bytes: tally.bytesRead, noun: "versions")
                },
                during: { try await verifier.run(repositories, countsOrphans: repository == nil) })
        }
    }
}

/// Problems in the order in which they were found, the first so many.
private final class ProblemList: Sendable {
    private let max: Int
    private let problems = Mutex<[VerifyProblem]>([])

    init(max: Int) { self.max = max }

    var all: [VerifyProblem] { problems.withLock { $0 } }

    func add(_ problem: VerifyProblem) { problems.withLock { if $0.count < max { $0.append(problem) } } }
}
