import Testing

@testable import EdgeHTTP

struct HTTPDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_795_431_600, "Mon, 23 Nov 2026 11:00:00 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ]) func `a second is written as HTTP wants it`(second: Int, text: String) {
        #expect(String(decoding: HTTPDate(unixSecond: second).text, as: UTF8.self) == text)
    }
}
