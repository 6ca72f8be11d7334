/// The head of an answer in the spellings of both protocols; all but `date` and `connection`.
///
/// A class: every answer hands one on, at the price of one count.
final class Rendition: Sendable {
    let status: Int
    /// What `content-length` says; 0 where an answer can't have a body.
    let bodyBytes: Int
    /// The value of `x-cache`, for the observer; empty without one.
    let cache: String
    /// Status line and fields, without the empty line. An array: one place in memory, where a buffer has two.
    let http1: [UInt8]
    let http2: FieldBlock

    /// - Parameters:
    ///   - fields: lower-case names; control characters in values are dropped, so that no value can end its line.
    ///   - bodyBytes: what `content-length` shall say, where the status allows one.
    init(status: Int, fields: [(name: String, value: String)], bodyBytes: Int) {
        self.status = status
        cache = fields.first { $0.name == "x-cache" }?.value ?? ""
        self.bodyBytes = StatusLine.allowsBody(status) ? bodyBytes : 0
        var all = fields.map { (name: $0.name, value: Self.clean($0.value)) }
        if StatusLine.allowsBody(status) { all.append(("content-length", "\(bodyBytes)")) }
        var head = "HTTP/1.1 \(status) \(StatusLine.reason(status))\r\n"
        for field in all { head += "\(field.name): \(field.value)\r\n" }
        http1 = Array(head.utf8)
        http2 = FieldBlock([(":status", "\(status)")] + all)
    }

    private static func clean(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return value }
        return String(decoding: value.utf8.filter { $0 >= 0x20 && $0 != 0x7F }, as: UTF8.self)
    }
}
