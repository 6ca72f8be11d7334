#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Walks over the bytes of one head, line by line, and remembers how far it came.
///
/// It is shown the same bytes again, and more, until the head is complete, and looks at none twice.
struct HTTP1Scanner {
    enum Outcome: Equatable {
        case incomplete
        case complete(bytes: Int)
        case refused(Refusal)
    }

    private(set) var draft = HTTP1Draft()
    private var lineStart = 0
    private var searched = 0
    private var hasRequestLine = false
    private var skippedEmptyLine = false
    private var fieldBytes = 0
    private var fields = 0

    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        do throws(Refusal) {
            while let lineFeed = nextLineFeed(in: bytes) {
                guard lineFeed > lineStart, bytes[lineFeed - 1] == 0x0D else { throw Refusal.badLineEnd }
                let line = lineStart..<lineFeed - 1
                lineStart = lineFeed + 1
                if try isLast(line, of: bytes) { return .complete(bytes: lineStart) }
            }
            try checkUnfinishedLine(bytes)
            return .incomplete
        } catch {
            return .refused(error)
        }
    }

    private mutating func isLast(_ line: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Refusal) -> Bool {
        if hasRequestLine {
            if line.isEmpty {
                try draft.finish()
                return true
            }
            fields += 1
            fieldBytes += line.count
            guard fields <= HeadLimits.fieldsMax, fieldBytes <= HeadLimits.fieldBytesMax else { throw .fieldsTooLarge }
            try draft.readField(line, of: bytes)
        } else if line.isEmpty, !skippedEmptyLine {
            // RFC 9112, 2.2: one empty line before a request is to be ignored.
            skippedEmptyLine = true
        } else {
            guard line.count <= HeadLimits.requestLineBytesMax else { throw .requestLineTooLong }
            try draft.readRequestLine(line, of: bytes)
            hasRequestLine = true
        }
        return false
    }

    private mutating func nextLineFeed(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, searched < bytes.count else { return nil }
        guard let found = memchr(base + searched, 0x0A, bytes.count - searched) else {
            searched = bytes.count
            return nil
        }
        let place = UnsafeRawPointer(found) - base
        searched = place + 1
        return place
    }

    /// Limits hold for lines that never end, too; and what can't become a request is refused at its first byte, so that
    /// a TLS client on a plain port isn't kept waiting.
    private func checkUnfinishedLine(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        let open = bytes.count - lineStart
        if hasRequestLine {
            // One byte more than the limit: the carriage return may be there already.
            guard fieldBytes + open <= HeadLimits.fieldBytesMax + 1 else { throw .fieldsTooLarge }
        } else {
            guard open <= HeadLimits.requestLineBytesMax + 1 else { throw .requestLineTooLong }
            if open > 0, bytes[lineStart] != 0x0D, !ASCIISet.token.contains(bytes[lineStart]) { throw .badRequestLine }
        }
    }
}
