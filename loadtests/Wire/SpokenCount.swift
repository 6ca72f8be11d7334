/// How many answers came over which HTTP: a server may refuse what it is offered.
struct SpokenCount: Hashable, Sendable {
    var http1 = 0
    var http2 = 0

    mutating func add(_ answer: WireAnswer) {
        if answer.isHTTP2 { http2 += 1 } else { http1 += 1 }
    }

    static func + (a: Self, b: Self) -> Self { Self(http1: a.http1 + b.http1, http2: a.http2 + b.http2) }

    /// `HTTP/2`, or `HTTP/1.1 (25 %) and HTTP/2`; nil without an answer.
    var text: String? {
        switch (http1, http2) {
        case (0, 0): nil
        case (0, _): "HTTP/2"
        case (_, 0): "HTTP/1.1"
        default: "HTTP/1.1 (\(Shown.share(Double(http1) / Double(http1 + http2)))) and HTTP/2"
        }
    }
}
