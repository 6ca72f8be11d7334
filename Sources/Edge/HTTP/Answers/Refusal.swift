import NIOCore

/// What the server itself answers, without asking the handler: one sentence of text, fit for a person.
enum Refusal: Int, CaseIterable, Error {
    case badRequestLine, badTarget, badVersion, badLineEnd, foldedField, badFieldName, badFieldValue
    case missingHost, repeatedHost, badHost, repeatedAuthorization
    case transferEncoding, badContentLength
    case body, requestLineTooLong, fieldsTooLarge, headTooSlow
    case tooManyConnections, tooManyRequests, answerTooSlow, fileUnavailable, handlerFailed

    var status: Int {
        switch self {
        case .badRequestLine, .badTarget, .badVersion, .badLineEnd, .foldedField, .badFieldName, .badFieldValue,
            .missingHost, .repeatedHost, .badHost, .repeatedAuthorization, .transferEncoding, .badContentLength:
            400
        case .headTooSlow: 408
        case .body: 413
        case .requestLineTooLong: 414
        case .fieldsTooLarge: 431
        case .handlerFailed: 500
        case .tooManyConnections, .tooManyRequests, .answerTooSlow, .fileUnavailable: 503
        }
    }

    /// Rendered once for all connections.
    var answer: RenderedAnswer { Self.answers[rawValue] }

    private static let answers = allCases.map { refusal in
        RenderedAnswer(
            status: refusal.status,
            headers: [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
                + (refusal.status == 503 ? [("retry-after", "2")] : []),
            body: ByteBuffer(string: refusal.sentence + "\n"))
    }

    private var sentence: String {
        switch self {
        case .badRequestLine: "The request line is not `METHOD target HTTP/1.1` with single spaces."
        case .badTarget: "The request target is neither a path nor an http address, or has bytes that must be encoded."
        case .badVersion: "The request line names a version of HTTP other than 1.0 and 1.1."
        case .badLineEnd: "A line of the request ends without CR LF."
        case .foldedField: "A header field is folded over several lines, which HTTP no longer allows."
        case .badFieldName: "A header field has a name that HTTP does not allow, or a space before its colon."
        case .badFieldValue: "A header field has a control character in its value."
        case .missingHost: "The request has no Host header field."
        case .repeatedHost: "The request has more than one Host header field."
        case .badHost: "The Host header field is not a host name with an optional port."
        case .repeatedAuthorization: "The request has more than one Authorization header field."
        case .transferEncoding: "The request has a Transfer-Encoding header field, but this server takes no bodies."
        case .badContentLength: "The Content-Length header field is not one number."
        case .body: "The request has a body, but this server only answers reads; uploads go to the origin."
        case .requestLineTooLong: "The request line is longer than 8 KiB."
        case .fieldsTooLarge: "The header fields are more than 64, or larger than 16 KiB together."
        case .headTooSlow: "The request's header did not arrive in time."
        case .tooManyConnections: "This server has as many connections as it can serve; try again in a moment."
        case .tooManyRequests: "This server has as many requests as it can serve; try again in a moment."
        case .answerTooSlow: "This server could not find the answer in time; try again in a moment."
        case .fileUnavailable: "The file could not be read whole just now; try again in a moment."
        case .handlerFailed: "This server failed to make an answer; its log says why."
        }
    }
}
