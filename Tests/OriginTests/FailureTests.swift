import Hummingbird
import Logging
import Registry
import TestSupport
import Testing

@testable import Origin

struct FailureTests {
    @Test(arguments: [
        ("/main/index/3/f/foo", RefusalForm.text), ("/main/crates/foo/1.0.0/x.crate", .text),
        ("/main/dl/foo/1.0.0/download", .text), ("/t/lsh_t/main/index/config.json", .text),
        ("/edge/v1/index/main/3/f/foo", .text), ("/edge/v1/crates/main/foo", .text), ("/edge/v1/feed", .json),
        ("/main/api/v1/crates/new", .json), ("//main//api/v1/crates", .json), ("/api/v1/crates", .json), ("/", .json),
        ("/main/me", .json), ("", .json),
    ])
    func `the address decides the form of a refusal`(path: String, form: RefusalForm) {
        #expect(RefusalForm(path: path) == form)
    }

    // H11, H13
    @Test(arguments: [
        ("GET", "/main/api/v1/nothing"), ("POST", "/main/api/v1/crates/new"), ("GET", "/nothing"), ("DELETE", "/"),
        ("GET", "/main/api/v1/crates/a/b/c/d/e"), ("PATCH", "/main/api/v1/crates"),
    ])
    func `an unknown address or method is 404 in JSON`(method: String, path: String) async throws {
        try await SliceOrigin.with { origin, _ in
            let answer = try await origin.send(method, path)
            #expect(answer.status == 404 && answer.details == ["Not Found"], "\(answer.body)")
        }
    }

    // H16
    @Test func `a doubled slash before the API is one`() async throws {
        try await SliceOrigin.with { origin, alice in
            let body = try MadeCrate("foo", "1.0.0").publishBody()
            let answer = try await origin.send("PUT", "/main//api/v1/crates/new", token: alice, body: body)
            #expect(answer.status == 200, "\(answer.body)")
        }
    }

    // H13
    @Test func `headers over the limit and endless request lines are 431 in JSON`() async throws {
        try await SliceOrigin.with { origin, _ in
            let long = [UInt8](repeating: UInt8(ascii: "a"), count: 200_000)
            for parts in [
                [Array("GET /main/me HTTP/1.1\r\nhost: x\r\nx: ".utf8), long, Array("\r\n\r\n".utf8)],
                [Array("GET /".utf8), long],
            ] {
                let answer = await RawRequest.send(parts, port: origin.port)
                #expect(answer.hasPrefix("HTTP/1.1 431") && answer.contains(#"{"errors":[{"detail":"#), "\(answer)")
            }
        }
    }

    // H13
    @Test(arguments: ["BREW / HTTP/1.1\r\n\r\n", "\0\0\0\0", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\na b\r\n\r\n"])
    func `what is no HTTP is 400 in JSON`(text: String) async throws {
        try await SliceOrigin.with { origin, _ in
            let answer = await RawRequest.send([Array(text.utf8)], port: origin.port)
            #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains(#"{"errors":[{"detail":"#), "\(answer)")
        }
    }

    @Test func `an error that nobody foresaw says nothing of the inside`() {
        struct Secret: Error { let text = "password" }
        let failure = Failure(Secret(), requestID: "42")
        #expect(failure.refusal.status == .internalServerError && failure.level == .error)
        #expect(failure.refusal.detail.contains("42") && !failure.refusal.detail.contains("password"))
    }

    @Test func `a text is short enough for cargo`() {
        let response = RefusalForm.text.response(.notFound(String(repeating: "x", count: 900)))
        #expect(response.body.contentLength == RefusalForm.textCharactersMax)
    }

    @Test func `the login page names the repository and escapes it`() async throws {
        try await SliceOrigin.with { origin, _ in
            let page = try await origin.send("GET", "/main/me")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.body.contains("cargo login --registry main") && !page.body.contains("<script"))
            #expect(try await origin.send("GET", "/%3Cscript%3E/me").status == 404)
        }
        #expect("<a href=\"'&".escapedForHTML == "&lt;a href=&quot;&#39;&amp;")
    }
}
