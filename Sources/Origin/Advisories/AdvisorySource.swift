import AsyncHTTPClient
import CrateFile
import Facts
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Subprocess
import Synchronization

/// Where an advisory database is: on disk, behind a URL, or in a git repository.
package enum AdvisorySource: Hashable, Sendable {
    /// A folder or a tar archive, packed or not.
    case path(String)
    /// `https://…`: an archive.
    case url(String)
    /// `git+https://…` or an address that ends in `.git`: the newest state, without its history.
    case git(String)

    package init(_ text: String) {
        if text.hasPrefix("git+") {
            self = .git(String(text.dropFirst(4)))
        } else if text.hasSuffix(".git") {
            self = .git(text)
        } else if text.hasPrefix("https://") || text.hasPrefix("http://") {
            self = .url(text)
        } else {
            self = .path(text)
        }
    }
}

/// Reads advisory databases, and remembers what it need not read again.
final class AdvisoryReader: Sendable {
    private static let archiveBytesMax = 256 << 20
    private static let timeMax: Duration = .seconds(300)

    private let source: AdvisorySource
    private let entityTags = Mutex(EntityTags())

    /// What the server called archives.
    private struct EntityTags {
        /// The one that was read last.
        var read: String?
        /// The last one that was taken over.
        var taken: String?
    }

    init(_ source: AdvisorySource) { self.source = source }

    /// Told when what was read last is in force: only then need it not be read again.
    func wasTaken() { entityTags.withLock { $0.taken = $0.read } }

    /// - Returns: nil if the server says that nothing has changed since the last that was taken.
    func read() async throws -> AdvisoryDatabase? {
        switch source {
        case .path(let path): return try await DiskBlobs.offLoop { try AdvisoryFolder.read(path) }
        case .url(let url):
            return try await Self.withFolder { folder in
                guard try await download(url, to: folder + "/archive") else { return nil }
                return try await DiskBlobs.offLoop { try AdvisoryFolder.read(folder + "/archive", named: url) }
            }
        case .git(let url):
            return try await Self.withFolder { folder in
                try await Self.clone(url, into: folder + "/tree")
                return try await DiskBlobs.offLoop { try AdvisoryFolder.read(folder + "/tree") }
            }
        }
    }

    /// - Returns: false for 304.
    private func download(_ url: String, to path: String) async throws -> Bool {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .follow(max: 5, allowCycles: false)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let isNew = try await fetch(url, to: path, client)
            try await client.shutdown()
            return isNew
        } catch {
            try await client.shutdown()
            throw try SourceFailure(error, url)
        }
    }

    private func fetch(_ url: String, to path: String, _ client: HTTPClient) async throws -> Bool {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "user-agent", value: "longshore-origin/\(OriginVersion.text) (advisories)")
        if let entityTag = entityTags.withLock({ $0.taken }) {
            request.headers.add(name: "if-none-match", value: entityTag)
        }
        let response = try await client.execute(request, timeout: TimeAmount(Self.timeMax))
        if response.status == .notModified { return false }
        guard response.status == .ok else { throw SourceFailure(response, url) }
        let file = try FileSink(path: path)
        var bytes = 0
        for try await part in response.body {
            bytes += part.readableBytes
            guard bytes <= Self.archiveBytesMax else {
                throw SourceFailure(
                    "\(url) sends more than \(Self.archiveBytesMax >> 20) MiB: is it an advisory database?")
            }
            try part.withUnsafeReadableBytes { try file.write($0) }
        }
        let tag = response.headers.first(name: "etag")
        entityTags.withLock { $0.read = tag }
        return true
    }

    /// The program that is installed; it may ask nobody for a password.
    private static func clone(_ url: String, into folder: String) async throws {
        let isSuccess: Bool
        do {
            isSuccess = try await Subprocess.run(
                .name("git"),
                arguments: ["clone", "--quiet", "--depth", "1", "--no-tags", "--single-branch", "--", url, folder],
                environment: .inherit.updating(["GIT_TERMINAL_PROMPT": "0"]), output: .discarded, error: .discarded
            ).terminationStatus.isSuccess
        } catch {
            throw SourceFailure("git can't be run: \(error). Install it, or name an archive")
        }
        guard isSuccess else {
            throw SourceFailure("git could not clone \(url): try `git clone \(url)` by hand")
        }
    }

    private static func withFolder<Answer: Sendable>(
        _ body: (String) async throws -> Answer
    ) async throws -> Answer {
        let folder =
            FileManager.default.temporaryDirectory.path + "/longshore-advisories-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        do {
            let answer = try await body(folder)
            try FileManager.default.removeItem(atPath: folder)
            return answer
        } catch {
            // What went wrong first is what counts.
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }
}
