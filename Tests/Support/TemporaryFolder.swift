import Foundation

/// A folder of one test's own, removed when the closure ends, whichever way.
package func withTemporaryFolder<Result>(
    _ purpose: String, isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Result
) async throws -> Result {
    // Short, because unix sockets below it may have 107 characters only.
    let folder = "\(NSTemporaryDirectory())/ls-\(purpose)-\(UUID().uuidString.prefix(8))"
        .replacingOccurrences(of: "//", with: "/")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Others may pass through: PostgreSQL runs as another user below it when the tests run as root.
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
