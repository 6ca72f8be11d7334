/// A statement's parameters as libpq wants them: C strings in one block of memory, lengths and formats beside it.
struct PackedParameters {
    // The protocol counts parameters in 16 bits.
    static let countMax = 65535

    private var bytes: [UInt8] = []
    /// Where each value starts; nil for NULL.
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    /// 0 for text, 1 for binary.
    private var formats: [Int32] = []

    /// - Throws: `badParameter` for what cannot be sent.
    init(_ parameters: [PostgresParameter]) throws {
        guard parameters.count <= Self.countMax else {
            throw PostgresError(
                .badParameter, "a statement may have \(Self.countMax) parameters, not \(parameters.count)")
        }
        for parameter in parameters { try append(parameter) }
    }

    private mutating func append(_ parameter: PostgresParameter) throws {
        switch parameter {
        case .null:
            starts.append(nil)
            lengths.append(0)
            formats.append(0)
        case .text(var text):
            try text.withUTF8 { utf8 in
                // libpq would cut the text at the zero without a word.
                guard !utf8.contains(0) else {
                    throw PostgresError(.badParameter, "PostgreSQL cannot hold text with the character U+0000")
                }
                add(utf8, format: 0)
            }
        case .bytes(let value):
            value.withUnsafeBufferPointer { add($0, format: 1) }
        }
    }

    private mutating func add(_ value: UnsafeBufferPointer<UInt8>, format: Int32) {
        starts.append(bytes.count)
        lengths.append(Int32(clamping: value.count))
        formats.append(format)
        bytes.append(contentsOf: value)
        bytes.append(0)
    }

    /// Calls `body` with pointers that are valid during the call.
    func withPointers<Answer>(
        _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> Answer
    ) -> Answer {
        bytes.withUnsafeBytes { buffer in
            let first = buffer.bindMemory(to: CChar.self).baseAddress
            // An empty block has no address; then all values are NULL.
            return body(starts.map { start in start.flatMap { first?.advanced(by: $0) } }, lengths, formats)
        }
    }
}
