import NIOCore
import Registry
import TestSupport

@testable import Origin

/// Lock files as cargo writes them, and calls that bring them.
enum LockFileScene {
    static let cratesIO = "registry+https://github.com/rust-lang/crates.io-index"

    struct Locked: Sendable {
        var name: String
        var version = "1.0.0"
        var source: String? = cratesIO
        var checksum: String?

        init(_ name: String, _ version: String = "1.0.0", source: String? = cratesIO, checksum: String? = nil) {
            self.name = name
            self.version = version
            self.source = source
            self.checksum = checksum
        }
    }

    /// With the workspace's own member, which comes from nowhere.
    static func text(_ packages: [Locked]) -> String {
        let tables = ([Locked("app", "0.1.0", source: nil)] + packages).map { package in
            """
            [[package]]
            name = "\(package.name)"
            version = "\(package.version)"
            \(package.source.map { "source = \"\($0)\"" } ?? "")
            \(package.checksum.map { "checksum = \"\($0)\"" } ?? "")
            """
        }
        return "version = 4\n\n" + tables.joined(separator: "\n\n") + "\n"
    }

    static func file(_ packages: Locked...) throws -> LockFile { try LockFile(parsing: text(packages)) }
}

extension TestOrigin {
    func lockFile(
        _ method: String, _ name: String, as caller: Caller, body: ByteBuffer? = nil, in repository: String = "main"
    ) async throws -> HTTPAnswer {
        try await httpCall(
            method, url + "/api/v1/repositories/\(repository)/lock-files/\(name)", headers: caller.headers, body: body)
    }

    func putLockFile(
        _ name: String, as caller: Caller, _ packages: LockFileScene.Locked...
    ) async throws -> HTTPAnswer {
        try await lockFile("PUT", name, as: caller, body: ByteBuffer(string: LockFileScene.text(packages)))
    }
}
