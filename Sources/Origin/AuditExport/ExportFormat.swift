import FoundationEssentials

/// In which words lines leave.
enum ExportFormat: String, CaseIterable, Sendable {
    /// `AuditLine.json`: what the hash can be checked against.
    case jsonl
    /// `ECSLine`.
    case ecs

    func text(_ line: AuditLine) throws -> String {
        switch self {
        case .jsonl: return line.json
        case .ecs:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(ECSLine(line)), as: UTF8.self)
        }
    }
}

/// Lines that leave together, bounded in number and size; one a line, each ended by a line feed.
struct ExportBatch: Hashable, Sendable {
    static let linesMax = 500
    static let bytesMax = 1 << 20

    private(set) var text = ""
    private(set) var count = 0
    private(set) var firstSeq: Int64 = 0
    private(set) var lastSeq: Int64 = 0

    /// - Returns: false if the line has no room; the first always has.
    mutating func add(_ line: String, seq: Int64) -> Bool {
        guard count == 0 || (count < Self.linesMax && text.utf8.count + line.utf8.count < Self.bytesMax) else {
            return false
        }
        if count == 0 { firstSeq = seq }
        text += line + "\n"
        count += 1
        lastSeq = seq
        return true
    }
}
