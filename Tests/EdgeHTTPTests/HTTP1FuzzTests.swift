import NIOCore
import Testing

@testable import EdgeHTTP

/// Seeded, so that a failure can be repeated: the seed is in the message.
struct HTTP1FuzzTests {
    private static let seedWords = [
        "GET /a/b?c HTTP/1.1\r\n", "host: a\r\n", "Connection: keep-alive, Upgrade\r\n", "Upgrade: h2c\r\n",
        "HTTP2-Settings: AAMAAABkAAQAAQAAAAIAAAAA\r\n", "content-length: 0\r\n", "accept-encoding: gzip;q=0.5, *\r\n",
        "if-none-match: \"a\"\r\n", "authorization: b\r\n", "\r\n", "HEAD * HTTP/1.0\r\n", "\n", "\0", " ", ":", "\r",
    ]

    @Test(arguments: 0..<400 as Range<UInt64>) func `any bytes end in requests or one refusal, however they are split`(
        seed: UInt64
    ) {
        var numbers = SplitMix(seed: seed)
        let bytes = Self.bytes(&numbers)
        let whole = Self.read(bytes, chunks: [bytes.count])
        for _ in 0..<4 {
            var chunks: [Int] = []
            while chunks.reduce(0, +) < bytes.count { chunks.append(Int.random(in: 1...40, using: &numbers)) }
            #expect(Self.read(bytes, chunks: chunks) == whole, "seed \(seed)")
        }
    }

    /// Requests made of likely pieces, then damaged.
    private static func bytes(_ numbers: inout SplitMix) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...4, using: &numbers) {
            bytes += Array(seedWords[0].utf8)
            for _ in 0..<Int.random(in: 0...8, using: &numbers) {
                bytes += Array((seedWords.randomElement(using: &numbers) ?? "").utf8)
            }
            bytes += Array("host: a\r\n\r\n".utf8)
        }
        for _ in 0..<Int.random(in: 0...3, using: &numbers) {
            bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
        }
        return bytes
    }

    private static func read(_ bytes: [UInt8], chunks: [Int]) -> [String] {
        var reader = HTTP1Reader()
        var rest = bytes[...]
        var seen: [String] = []
        for count in chunks where !rest.isEmpty {
            reader.append(ByteBuffer(bytes: rest.prefix(count)))
            rest = rest.dropFirst(count)
            reading: while true {
                switch reader.next() {
                case .incomplete: break reading
                case .head(let head): seen.append("\(head)")
                // A line that is too long may be refused before or after its end is there, by the same name.
                case .refused(let refusal): return seen + ["\(refusal)"]
                }
            }
        }
        return seen
    }
}

/// Vigna's SplitMix64: small, and the same numbers everywhere.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
