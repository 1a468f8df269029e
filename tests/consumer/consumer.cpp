/* consumer.cpp - a stranger's C++ program: the headers compile, link and work from C++17. Usage: consumer STATE_FOLDER VERSION */
#include <nexusvoip/nexusvoip.h>

#include <iostream>
#include <memory>
#include <string>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	nxv_error err = NXV_ERROR_INIT;
	nxv_opts opts{};
	opts.size = sizeof opts;
	opts.state_dir = argv[1];
	opts.create = true;

	nxv_ctx *raw = nullptr;
	if (nxv_open(&opts, &raw, &err) != NXV_OK) {
		std::cerr << err.message << "\n";
		return 1;
	}
	std::unique_ptr<nxv_ctx, decltype(&nxv_close)> ctx(raw, nxv_close);
	struct nxv_key_page *list = nullptr;
	if (nxv_key_list(ctx.get(), nullptr, &list, &err) != NXV_OK) {
		std::cerr << err.message << "\n";
		return 1;
	}
	std::cout << "version " << nxv_version() << ", " << list->count << " keys\n";
	nxv_key_page_free(list);
	return std::string(nxv_version()) == argv[2] ? 0 : 1;
}
