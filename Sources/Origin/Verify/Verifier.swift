import Crypto
import Hosting
import NIOCore
import Postgres
import Registry

/// Holds the database against the blobs and against itself, in bounded memory, while the origin may go on working.
///
/// A version that is added meanwhile is looked at or not; one that is there is whole, or it is a problem.
struct Verifier: Sendable {
    private static let cratesAPage = 500
    private static let cratesAtOnce = 2

    let pool: PostgresPool
    let blobs: DiskBlobs
    /// True: blobs are not read, only their existence and size are looked at.
    let isQuick: Bool
    let report: VerifyReport

    /// - Parameter countsOrphans: true if `repositories` are all there are.
    func run(_ repositories: [Repository], countsOrphans: Bool) async throws {
        for repository in repositories {
            try await verify(repository)
            report.note { $0.repositories += 1 }
        }
        let feed = try await FeedSurvey.read(pool)
        for problem in feed.problems { report.found(VerifyProblem(.feed, "feed", problem)) }
        report.note { $0.feedPosition = feed.head }
        guard countsOrphans else { return }
        let orphans = try await orphanCount()
        let unfinished = try await blobs.unfinishedCount()
        report.note {
            $0.orphanBlobs = orphans
            $0.unfinishedUploads = unfinished
        }
    }

    private func verify(_ repository: Repository) async throws {
        let store = StoredCrates(pool: pool)
        var last: Int64 = 0
        while true {
            let page = try await store.page(in: repository, after: last, limit: Self.cratesAPage)
            guard let end = page.last else { return }
            try await forEach(page, atOnce: Self.cratesAtOnce) { id in
                guard let crate = try await store.crate(id, in: repository) else { return }
                for problem in CrateCheck.problems(crate, in: repository.name) { report.found(problem) }
                for version in crate.versions {
                    try await verifyBlob(of: version, "\(repository.name) \(crate.name) \(version.number)")
                    report.note { $0.versions += 1 }
                }
                report.note { $0.crates += 1 }
            }
            last = end
        }
    }

    private func verifyBlob(of version: StoredCrate.Version, _ place: String) async throws {
        guard let checksum = Checksum(bytes: version.checksum) else {
            preconditionFailure("the table lets only checksums of 32 bytes in")
        }
        // Its file was not asked for yet.
        if version.isProxied, version.bytes == 0 { return }
        do {
            guard let bytes = try await blobs.size(checksum) else {
                return report.found(VerifyProblem(.blobMissing, place, "the blob \(checksum) is missing"))
            }
            if bytes != version.bytes {
                report.found(
                    VerifyProblem(
                        .blobSize, place, "the blob \(checksum) has \(bytes) bytes, the row says \(version.bytes)"))
            }
            if isQuick { return }
            let found = try await hash(checksum)
            if let found, found != checksum {
                report.found(
                    VerifyProblem(.blobBytes, place, "the blob \(checksum) is damaged: its bytes hash to \(found)"))
            }
        } catch let error as BlobError {
            report.found(VerifyProblem(.blobUnreadable, place, "its blob cannot be read: \(error)"))
        }
    }

    private func hash(_ checksum: Checksum) async throws -> Checksum? {
        guard let reader = try await blobs.open(checksum) else { return nil }
        var hasher = SHA256()
        while let piece = try await reader.next() {
            piece.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
            let bytes = piece.readableBytes
            report.note { $0.bytesRead += bytes }
        }
        return Checksum(bytes: hasher.finalize())
    }

    /// Walks blobs and rows side by side, both in the order of checksums.
    private func orphanCount() async throws -> Int {
        try await StoredCrates(pool: pool).withChecksums { nextNamed in
            var orphans = 0
            var last: Checksum?
            var named = try await nextNamed()[...]
            while true {
                let page = try await blobs.list(after: last, limit: 1_000)
                for blob in page {
                    while let first = named.first, first.bytes.lexicographicallyPrecedes(blob.bytes) {
                        named.removeFirst()
                        if named.isEmpty { named = try await nextNamed()[...] }
                    }
                    if named.first != blob { orphans += 1 }
                }
                guard page.count == 1_000 else { return orphans }
                last = page.last
            }
        }
    }
}
