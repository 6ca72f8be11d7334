import FoundationEssentials

/// Lines that left the table: JSON lines as in an export, and as the last line the checkpoint of the last of them.
struct AuditArchiveFile: Sendable {
    let path: String
    let firstSeq: Int64
    let end: AuditCheckpoint

    private static let lineBytesMax = 1 << 20

    /// Reads the first line and the last one.
    ///
    /// - Throws: `Failure` if this is no archive.
    init(path: String) throws {
        var first: AuditLine?
        var last: String?
        try Self.forEachText(in: path) { text in
            if first == nil { first = try? AuditLine(json: text) }
            last = text
        }
        guard let first, let last, let end = try? AuditCheckpoint(parsing: last) else {
            throw Failure(description: "\(path) is no archive of the audit log, or is not complete")
        }
        self.path = path
        self.end = end
        firstSeq = first.seq
    }

    /// - Throws: `Failure` at a line that is none.
    func forEachLine(_ body: (AuditLine) throws -> Void) throws {
        // A line is read with one behind it at hand, since the last one is the checkpoint.
        var waiting: String?
        try Self.forEachText(in: path) { text in
            if let waiting { try body(try Self.line(waiting, path)) }
            waiting = text
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static func line(_ text: String, _ path: String) throws -> AuditLine {
        do { return try AuditLine(json: text) } catch {
            throw Failure(description: "\(path) holds a line that is no line of the audit log: \(text.prefix(80))")
        }
    }

    private static func forEachText(in path: String, _ body: (String) throws -> Void) throws {
        guard let file = FileHandleReader(path: path) else {
            throw Failure(description: "\(path) can't be read; check that it is there, and who owns it")
        }
        while let line = try file.line(bytesMax: lineBytesMax) { try body(line) }
    }
}

extension AuditLine {
    /// The members of an exported line.
    private struct Members: Decodable {
        let seq: Int64
        let prev: String
        let hash: String
        let at: String
        let actor: String
        let token: Int64?
        let action: String
        let repository: String?
        let crate: String?
        let version: String?
        let rule: String?
        let address: String?
        let request: String?
        let detail: [String: String]
    }

    /// Reads an exported line.
    init(json text: String) throws {
        let members = try JSONDecoder().decode(Members.self, from: Data(text.utf8))
        self.init(
            seq: members.seq, prev: members.prev, hash: members.hash, at: members.at, actor: members.actor,
            token: members.token, action: members.action, repository: members.repository, crate: members.crate,
            version: members.version, rule: members.rule, address: members.address, request: members.request,
            detail: members.detail)
    }
}
