/* test_sip_manager_opensips.c - supervision of a real server: opensips. */
#define SERVER_NAME "opensips"
#include "sip_manager_cases.h"
