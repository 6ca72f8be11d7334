import FoundationEssentials
import Logging
import ServiceLifecycle

/// Signs the end of the log from time to time and puts the file into a folder, from where it is to be taken elsewhere.
struct AuditCheckpoints: Service {
    let keys: AuditKeyStore
    let trail: AuditTrail
    let seal: KeySeal
    /// Nil: nobody wants them.
    let folder: String?
    let interval: Duration
    let logger: Logger

    func run() async throws {
        guard let folder else { return await cancelWhenGracefulShutdown { try? await gracefulShutdown() } }
        await cancelWhenGracefulShutdown {
            var last: Int64 = 0
            while !Task.isCancelled {
                last = await write(to: folder, ifAfter: last)
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// - Returns: the line up to which is signed.
    private func write(to folder: String, ifAfter last: Int64) async -> Int64 {
        do {
            guard try await trail.head().seq > last else { return last }
            let checkpoint = try await keys.checkpoint(seal)
            let path = Self.path(checkpoint, in: folder)
            // Another replica has been here.
            guard !FileManager.default.fileExists(atPath: path) else { return checkpoint.seq }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let file = try WholeFile(path: path)
            try file.append(checkpoint.json + "\n")
            try file.keep()
            logger.info("the audit log is signed up to line \(checkpoint.seq)", metadata: ["file": "\(path)"])
            return checkpoint.seq
        } catch is CancellationError {
            return last
        } catch {
            logger.error(
                "no checkpoint of the audit log could be written; tried again later",
                metadata: ["folder": "\(folder)", "error": "\(error)"])
            return last
        }
    }

    /// Numbers of one width, so that a list of the folder is in order.
    static func path(_ checkpoint: AuditCheckpoint, in folder: String) -> String {
        let digits = String(checkpoint.seq)
        return "\(folder)/checkpoint-\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits).json"
    }

    /// Reads checkpoints: of a file with one a line, or of all such files of a folder.
    ///
    /// - Throws: also if there is none: whoever asks for the proof must not be told that all is well without it.
    static func read(_ path: String) throws -> [AuditCheckpoint] {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw WholeFile.Failure(description: "there is no file or folder \(path)")
        }
        let found = try isFolder ? readFolder(path) : readFile(path)
        guard !found.isEmpty else {
            throw WholeFile.Failure(
                description:
                    "\(path) holds no checkpoint, so nothing was proven: is it the right place, and is it mounted?")
        }
        return found
    }

    private static func readFolder(_ path: String) throws -> [AuditCheckpoint] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".json") }.sorted()
        return try names.flatMap { try readFile("\(path)/\($0)") }
    }

    private static func readFile(_ path: String) throws -> [AuditCheckpoint] {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 16 << 20 else {
            throw WholeFile.Failure(description: "\(path) can't be read, or is larger than checkpoints are")
        }
        return try String(decoding: data, as: UTF8.self).split(separator: "\n").map { line in
            do { return try AuditCheckpoint(parsing: String(line)) } catch {
                throw WholeFile.Failure(description: "\(path) holds a line that is no checkpoint: \(line.prefix(80))")
            }
        }
    }
}
