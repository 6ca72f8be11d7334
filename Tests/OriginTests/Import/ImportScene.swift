import CrateFile
import Crypto
import Foundation
import Postgres
import Registry
import TestSupport

@testable import Origin

/// A repository on a database of its own, and a source folder beside it.
struct ImportScene: Sendable {
    let pool: PostgresPool
    let slices: OriginSlices
    let repository: Repository
    let blobs: DiskBlobs
    /// Holds `crates` and `index`.
    let source: String

    static func with<Answer: Sendable>(_ body: (ImportScene) async throws -> Answer) async throws -> Answer {
        try await TestDatabase.with { pool, _ in
            try await withTemporaryFolder("import") { folder in
                let slices = OriginSlices(pool: pool, logger: .test)
                let source = folder + "/source"
                try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
                return try await body(
                    ImportScene(
                        pool: pool, slices: slices,
                        repository: try await slices.repositories.create(
                            RepositoryName("main"), RepositorySettings(), by: .commandLine),
                        blobs: try await DiskBlobs(folder: folder + "/blobs", logger: .test), source: source))
            }
        }
    }

    /// Puts the file of each crate, and a line for it, into the source.
    ///
    /// - Parameter isIndexed: false leaves the line out.
    func offer(
        _ crates: MadeCrate..., isIndexed: Bool = true, pubtime: String? = nil, isYanked: Bool = false
    ) throws {
        for crate in crates {
            let bytes = try crate.crate()
            try put(bytes, at: "crates/\(crate.name)/\(crate.name)-\(crate.version).crate")
            guard isIndexed else { continue }
            let line = try Self.line(of: crate, bytes, pubtime: pubtime, isYanked: isYanked)
            try addLine(line.json, to: line.name)
        }
    }

    func put(_ bytes: [UInt8], at path: String) throws {
        let url = URL(fileURLWithPath: "\(source)/\(path)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func addLine(_ line: String, to name: CrateName) throws {
        let path = "index/\(name.indexPath)"
        let old = FileManager.default.contents(atPath: "\(source)/\(path)") ?? Data()
        try put(Array(old) + Array((line + "\n").utf8), at: path)
    }

    static func line(
        of crate: MadeCrate, _ bytes: [UInt8], pubtime: String? = nil, isYanked: Bool = false
    ) throws -> IndexLine {
        let facts = try ManifestRules.check(
            ManifestReader.read(crate.manifest),
            announced: PublishMetadata(name: CrateName(crate.name), version: Version(crate.version)),
            ownIndexURLs: [], metadataRequired: false)
        return IndexLine(facts: facts, checksum: checksum(bytes), pubtime: pubtime.flatMap { Pubtime($0) })
            .with(yanked: isYanked)
    }

    static func checksum(_ bytes: [UInt8]) -> Checksum {
        guard let checksum = Checksum(bytes: SHA256.hash(data: bytes)) else { preconditionFailure("32 bytes") }
        return checksum
    }

    /// What came of an import.
    struct Result: Sendable {
        let tally: ImportReport.Tally
        let refusals: [ImportRefusal]
    }

    /// - Parameter blobs: stands in for the scene's own.
    @discardableResult
    func importAll(
        indexURLs: Set<String> = [], owner: ImportOwner? = nil, blobs: (any BlobStore)? = nil
    ) async throws -> Result {
        try await Self.withWeb { web in
            try await importAll(
                from: .folder(source, downloads: nil, indexURLs: indexURLs, web: web), owner: owner, blobs: blobs)
        }
    }

    /// An HTTP client must be closed whatever happens.
    static func withWeb<Answer>(_ body: (SourceWeb) async throws -> Answer) async throws -> Answer {
        let web = SourceWeb(token: nil)
        do {
            let answer = try await body(web)
            try await web.close()
            return answer
        } catch {
            try await web.close()
            throw error
        }
    }

    func importAll(
        from source: ImportSource, names: [CrateName]? = nil, owner: ImportOwner? = nil,
        blobs: (any BlobStore)? = nil
    ) async throws -> Result {
        let refusals = Collected<ImportRefusal>()
        let report = ImportReport { refusals.add($0) }
        let importer = Importer(
            source: source, repository: repository, ownIndexURLs: ["sparse+https://ours.example/main/index/"],
            store: ImportStore(
                pool: pool, owners: slices.owners, events: slices.events, audit: slices.audit, facts: slices.facts),
            blobs: blobs ?? self.blobs, owner: owner, report: report, now: { 1_700_000_000 })
        try await importer.run(names ?? source.names ?? [], mustExist: names != nil)
        return Result(tally: report.current, refusals: refusals.all.sorted { $0.description < $1.description })
    }

    /// The lines that the repository serves of a crate.
    func lines(_ name: String) async throws -> [IndexLine] {
        let snapshot = try await IndexStore(pool: pool).file(CrateName(name).indexPath, in: repository, known: [])
        guard case .file(_, let text) = snapshot.content else { return [] }
        return try text.split(separator: "\n").map { try IndexLine(parsing: $0) }
    }

    func head() async throws -> UInt64 { try await FeedSurvey.read(pool).head ?? 0 }

    /// What `verify` says now.
    func verify(isQuick: Bool = false) async throws -> (tally: VerifyTally, problems: [VerifyProblem]) {
        let problems = Collected<VerifyProblem>()
        let report = VerifyReport { problems.add($0) }
        try await Verifier(pool: pool, blobs: blobs, isQuick: isQuick, report: report)
            .run([repository], countsOrphans: true)
        return (report.current, problems.all)
    }
}
