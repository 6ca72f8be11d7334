import Glibc

/// A small disk at one folder of a server's data, which only that server sees: a tmpfs in a mount namespace of its own.
///
/// Ends with the process. Needs root; suites that use it are enabled by `isPossible`.
package struct SmallDisk: Sendable {
    /// Below the data folder; empty for the data folder itself.
    let folder: String
    let kibibytes: Int

    package init(_ folder: String, kibibytes: Int) {
        self.folder = folder
        self.kibibytes = kibibytes
    }

    /// Whether this machine lets us mount.
    package static func isPossible() async throws -> Bool {
        guard geteuid() == 0 else { return false }
        return try await runTool("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status == 0
    }

    /// The command with the disk mounted before it starts; the process keeps its number.
    func mounted(below data: String, _ command: [String]) -> [String] {
        let script = "mkdir -p \"$0\" && mount -t tmpfs -o size=\(kibibytes)k,mode=755 tmpfs \"$0\" && exec \"$@\""
        return ["unshare", "-m", "sh", "-c", script, path(below: data)] + command
    }

    private func path(below data: String) -> String { folder.isEmpty ? data : "\(data)/\(folder)" }

    /// A command that sees what `process` sees.
    package static func beside(_ process: ServerProcess?, _ command: [String]) throws -> [String] {
        guard let pid = process?.pid else { throw NotRunning() }
        return ["nsenter", "-t", "\(pid)", "-m", "--"] + command
    }

    private struct NotRunning: Error {}

    /// Gives the disk another size.
    package func resize(_ kibibytes: Int, below data: String, of process: ServerProcess?) async throws {
        try await run(process, ["mount", "-o", "remount,size=\(kibibytes)k", path(below: data)])
    }

    /// Takes all room that is left, with a file `filler`.
    package func fill(below data: String, of process: ServerProcess?) async throws {
        // dd ends with an error when the disk is full, as it should be.
        let words = try Self.beside(
            process, ["dd", "if=/dev/zero", "of=\(path(below: data))/filler", "bs=4k", "status=none"])
        let result = try await runTool(words[0], Array(words[1...]))
        guard result.errors.contains("No space left") else { throw Unexpected(text: result.text) }
    }

    /// Gives the room of `fill` back.
    package func empty(below data: String, of process: ServerProcess?) async throws {
        try await run(process, ["rm", "\(path(below: data))/filler"])
    }

    /// The files on the disk, without its own root.
    package func files(below data: String, of process: ServerProcess?) async throws -> [String] {
        try await run(process, ["find", path(below: data), "-type", "f"]).split(separator: "\n").map(String.init)
    }

    @discardableResult
    private func run(_ process: ServerProcess?, _ command: [String]) async throws -> String {
        let words = try Self.beside(process, command)
        let result = try await runTool(words[0], Array(words[1...]))
        guard result.status == 0 else { throw Unexpected(text: result.text) }
        return result.output
    }

    private struct Unexpected: Error { let text: String }
}
